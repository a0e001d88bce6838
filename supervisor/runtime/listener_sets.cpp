#include <algorithm>
#include <set>
#include <utility>

#include "core/configuration_diff.hpp"
#include "runtime/listeners.hpp"

namespace holdfast::runtime {

namespace {

bool uses_one(const ListenerUses& uses, ListenerId id) { return std::ranges::count(uses, id, &ListenerUse::id) > 0; }

}  // namespace

Result<ListenerUses> Listeners::obtain(const std::vector<ListenAddress>& addresses) {
    ListenerUses uses, bound;
    for (const auto& address : addresses) {
        ListenerUses found = find_same(address, uses);
        if (found.empty()) {
            auto fresh = rebind_or_bind(address);
            if (!fresh) {
                close_all(bound);
                return fresh.error();
            }
            found = std::move(*fresh);
            bound.insert(bound.end(), found.begin(), found.end());
        }
        uses.insert(uses.end(), found.begin(), found.end());
    }
    return uses;
}

// Of several listeners with ports chosen by the kernel, finds the one with the same name; of sockets passed by systemd,
// finds all.
ListenerUses Listeners::find_same(const ListenAddress& address, const ListenerUses& taken) const {
    ListenerUses found;
    for (const auto& entry : entries_) {
        if (!core::is_same_listener(entry.configured, address) || uses_one(taken, entry.id)) continue;
        if (address.family == Family::systemd) {
            found.push_back({entry.id, entry.listener.name});
        } else if (found.empty() || listener_name(entry.configured) == listener_name(address)) {
            found = {{entry.id, listener_name(address)}};
        }
    }
    return found;
}

// A closed listener that an earlier generation used keeps its id when it is bound again.
Result<ListenerUses> Listeners::rebind_or_bind(const ListenAddress& address) {
    const auto known = std::ranges::find_if(closed_, [&](const Closed& closed) {
        return closed.configured.port == closed.address.port && core::is_same_listener(closed.configured, address);
    });
    if (known == closed_.end()) return bind(address, address);
    const ListenerId id = known->id;
    auto bound = bind(address, address, id);
    if (bound) std::erase_if(closed_, [&](const Closed& closed) { return closed.id == id; });
    return bound;
}

Result<ListenerUses> Listeners::reopen(const ListenerUses& uses) {
    ListenerUses bound;
    for (const auto& use : uses) {
        const auto closed = std::ranges::find(closed_, use.id, &Closed::id);
        if (closed == closed_.end()) continue;
        auto again = bind(closed->address, closed->configured, use.id);
        if (!again) {
            close_all(bound);
            return again.error();
        }
        closed_.erase(closed);
        bound.push_back(use);
    }
    return bound;
}

void Listeners::serve(const ListenerUses& uses) {
    in_force_ = uses;
    ListenerUses others;
    for (const auto& entry : entries_) {
        if (!uses_one(uses, entry.id)) others.push_back({entry.id, entry.listener.name});
    }
    for (const auto& use : others) {
        log_.write(core::Level::info, "listener_closed", "stopped listening on " + find(use.id)->listener.bound);
    }
    close_all(others);
}

void Listeners::keep_only(const std::vector<ListenerUses>& needed) {
    const auto is_needed = [&](ListenerId id) {
        return uses_one(in_force_, id) ||
               std::ranges::any_of(needed, [&](const auto& uses) { return uses_one(uses, id); });
    };
    ListenerUses others;
    for (const auto& entry : entries_) {
        if (!is_needed(entry.id)) others.push_back({entry.id, entry.listener.name});
    }
    close_all(others);
    std::erase_if(closed_, [&](const Closed& closed) { return !is_needed(closed.id); });
}

void Listeners::change_in_place(const std::vector<ListenAddress>& addresses) {
    for (const auto& address : addresses) {
        const auto use = std::ranges::find(in_force_, listener_name(address), &ListenerUse::name);
        Entry* entry = use == in_force_.end() ? nullptr : find(use->id);
        // After a rollback the name may belong to another address.
        if (entry != nullptr && core::is_same_listener(entry->configured, address)) change_in_place(*entry, address);
    }
}

void Listeners::change_in_place(Entry& entry, const ListenAddress& address) {
    const auto log_failure = [&](const Result<void>& changed) {
        if (!changed) log_.write(core::Level::error, "listener_not_changed", changed.error().text);
    };
    const ListenAddress before = std::exchange(entry.configured, address);
    if (before.backlog != address.backlog) log_failure(os::change_backlog(entry.listener, address.backlog));
    if (before.mode != address.mode || before.user != address.user || before.group != address.group) {
        log_failure(os::change_owner(entry.listener, address));
    }
}

Result<ListenerUses> Listeners::bind(const ListenAddress& address, const ListenAddress& configured,
                                     std::optional<ListenerId> known) {
    auto opened = os::open_listeners(address);
    if (!opened) return opened.error();
    ListenerUses uses;
    for (auto& listener : *opened) {
        log_.write(core::Level::info, "listening", "listening on " + listener.bound + " (" + listener.name + ")");
        if (listener.backlog_cut) {
            log_.write(core::Level::warning, "backlog_cut",
                       "the kernel limited the backlog of " + listener.bound + " from " +
                           std::to_string(*listener.backlog_cut) + " to " +
                           std::to_string(listener.backlog.value_or(0)) +
                           "; raise net.core.somaxconn before the start");
        }
        const ListenerId id = known ? *known : ListenerId{++last_id_.value};
        uses.push_back({id, listener.name});
        add_entry({id, configured, std::move(listener), 0, 0, std::nullopt, core::Admission::accept});
    }
    return uses;
}

void Listeners::add_entry(Entry made) {
    entries_.push_back(std::move(made));
    Entry& entry = entries_.back();
    if (admission_ == core::Admission::refuse) os::refuse(entry.listener);
    if (const auto watched = watch(entry); !watched) {
        log_.write(core::Level::warning, "listeners_not_watched", watched.error().text);
    }
}

void Listeners::close(ListenerId id) {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    if (found == entries_.end()) return;
    // Must come before the descriptor is closed: workers keep the open file description alive, and with it the watch.
    if (watch_) watch_->remove(found->listener.fd.get());
    forget(found->path_watch);
    ListenAddress address = found->listener.address;
    if (address.port == 0) address.port = found->listener.port;
    closed_.push_back({id, found->configured, std::move(address)});
    entries_.erase(found);
}

void Listeners::close_all(const ListenerUses& uses) {
    for (const auto& use : uses) close(use.id);
}

}  // namespace holdfast::runtime
