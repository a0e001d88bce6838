#include "runtime/listeners.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "os/errno_error.hpp"

namespace holdfast::runtime {

namespace {

using boost::asio::posix::stream_descriptor;

// Logs the first eight occurrences, then each power of two, so that a worker that repeats it does not fill the log.
bool should_log(std::uint64_t count) { return count <= 8 || std::has_single_bit(count); }

std::string times(std::uint64_t count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

}  // namespace

Listeners::Listeners(boost::asio::io_context& io, Log& log) : io_(io), log_(log) {}

Listeners::~Listeners() {
    forget(watch_descriptor_);
    for (auto& entry : entries_) forget(entry.path_watch);
}

Result<void> Listeners::open(const std::vector<ListenAddress>& addresses) {
    auto opened = obtain(addresses);
    if (!opened) return opened.error();
    in_force_ = std::move(*opened);
    return {};
}

Result<void> Listeners::watch() {
    auto opened = os::ListenerWatch::open();
    if (!opened) return opened.error();
    watch_.emplace(std::move(*opened));
    for (auto& entry : entries_) {
        if (auto watched = watch(entry); !watched) return watched;
    }
    if (const int failed = wait_for(watch_descriptor_, io_, watch_->fd())) {
        return os::errno_error("watch the listeners", failed);
    }
    await_shutdown();
    return {};
}

Result<void> Listeners::watch(Entry& entry) {
    if (!watch_) return {};
    if (auto added = watch_->add(entry.listener.fd.get(), entry.id.value); !added) return added.error();
    watch_path(entry);
    return {};
}

const Listeners::Entry* Listeners::find(ListenerId id) const {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    return found == entries_.end() ? nullptr : &*found;
}

Listeners::Entry* Listeners::find(ListenerId id) {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    return found == entries_.end() ? nullptr : &*found;
}

std::vector<int> Listeners::fds(const ListenerUses& uses) const {
    std::vector<int> result;
    for (const auto& use : uses) {
        const Entry* entry = find(use.id);
        result.push_back(entry != nullptr ? entry->listener.fd.get() : -1);
    }
    return result;
}

os::Ownership Listeners::ownership(const ListenerUse& use) const {
    const Entry* entry = find(use.id);
    return entry != nullptr ? entry->listener.ownership : os::Ownership::adopted;
}

std::vector<std::string> Listeners::names() const {
    std::vector<std::string> result;
    for (const auto& use : in_force_) result.push_back(use.name);
    return result;
}

std::vector<core::ListenerStatus> Listeners::status(const ListenerUses& uses) const {
    std::vector<core::ListenerStatus> result;
    for (const auto& use : uses) {
        const Entry* entry = find(use.id);
        if (entry == nullptr) continue;
        result.push_back({use.name, entry->listener.bound, entry->listener.backlog.value_or(0), entry->revived});
    }
    return result;
}

void Listeners::set_admission(core::Admission admission) {
    if (admission == admission_) return;
    admission_ = admission;
    for (auto& entry : entries_) {
        if (entry.admission == core::Admission::accept) apply_admission(entry);
    }
}

void Listeners::set_removed_listener_admission(const ListenerUses& uses, core::Admission admission) {
    const bool is_refusal = admission == core::Admission::refuse;
    for (auto& entry : entries_) {
        const bool is_other = std::ranges::find(uses, entry.id, &ListenerUse::id) == uses.end();
        if (entry.admission == admission) continue;
        if (is_refusal && (!is_other || !os::can_refuse_temporarily(entry.listener))) continue;
        entry.admission = admission;
        const std::string& bound = entry.listener.bound;
        log_.write(core::Level::info, is_refusal ? "listener_refused" : "listener_accepts",
                   is_refusal ? "no worker accepts on " + bound + " any more; new clients are refused"
                              : "new clients of " + bound + " are accepted again");
        if (admission_ == core::Admission::accept) apply_admission(entry);
    }
}

bool Listeners::refuses(const Entry& entry) const {
    return admission_ == core::Admission::refuse || entry.admission == core::Admission::refuse;
}

void Listeners::apply_admission(Entry& entry) {
    if (refuses(entry)) {
        os::refuse(entry.listener);
    } else if (listen_again(entry) == os::Revival::failed) {
        log_.write(core::Level::error, "listener_lost", "cannot listen on " + entry.listener.bound + " again");
    }
}

os::Revival Listeners::listen_again(Entry& entry) {
    // Unregistered first, because listening again may replace the socket and its path watch.
    if (watch_) watch_->remove(entry.listener.fd.get());
    forget(entry.path_watch);
    const auto revival = os::listen_again(entry.listener);
    // A dead listener is not registered: it would report the shutdown again and again.
    if (watch_ && revival != os::Revival::failed)
        static_cast<void>(watch_->add(entry.listener.fd.get(), entry.id.value));
    if (watch_) watch_path(entry);
    return revival;
}

void Listeners::check_backlogs() {
    for (auto& entry : entries_) {
        const auto queue = os::inspect_queue(entry.listener);
        if (!queue || !entry.listener.backlog || queue->backlog >= *entry.listener.backlog) continue;
        if (!os::restore_backlog(entry.listener)) continue;
        if (!should_log(++entry.restored)) continue;
        log_.write(core::Level::warning, "backlog_restored",
                   "the backlog of " + entry.listener.bound + " was lowered from " +
                       std::to_string(*entry.listener.backlog) + " to " + std::to_string(queue->backlog) + suspicion() +
                       "; restored");
    }
}

void Listeners::await_shutdown() {
    watch_descriptor_->async_wait(stream_descriptor::wait_read, [this](boost::system::error_code failed) {
        if (failed) return;
        for (const auto key : watch_->take()) {
            for (auto& entry : entries_) {
                if (entry.id.value == key) revive(entry);
            }
        }
        await_shutdown();
    });
}

void Listeners::watch_path(Entry& entry) {
    forget(entry.path_watch);
    if (!entry.listener.path || entry.listener.path->watch_fd() < 0) return;
    if (wait_for(entry.path_watch, io_, entry.listener.path->watch_fd()) == 0) await_unlink(entry);
}

void Listeners::await_unlink(Entry& entry) {
    entry.path_watch->async_wait(stream_descriptor::wait_read, [this, id = entry.id](boost::system::error_code failed) {
        Entry* found = find(id);  // the listener may have been closed in the meantime
        if (failed || found == nullptr || !found->path_watch) return;
        if (restore_path(*found) == os::UnixPath::State::lost) {
            replace_socket(*found);
        } else {
            await_unlink(*found);
        }
    });
}

void Listeners::revive(Entry& entry) {
    if (refuses(entry) || !os::is_shut_down(entry.listener)) return;
    const auto revival = listen_again(entry);
    if (revival == os::Revival::failed) {
        log_.write(core::Level::error, "listener_lost",
                   "cannot revive " + entry.listener.bound + " after a worker shut it down" + suspicion() +
                       "; its clients are refused; restart the supervisor");
        return;
    }
    if (!should_log(++entry.revived)) return;
    std::string text = "a worker shut down " + entry.listener.bound + ", which all workers share" + suspicion() +
                       "; revived (" + times(entry.revived) + " so far)";
    if (revival == os::Revival::reopened) text += "; running workers still have the dead socket open: restart them";
    log_.write(core::Level::warning, "listener_revived", text);
}

os::UnixPath::State Listeners::restore_path(Entry& entry) {
    const auto state = entry.listener.path->restore();
    const std::string& path = entry.listener.path->path();
    if (state == os::UnixPath::State::restored && should_log(++entry.restored)) {
        log_.write(core::Level::warning, "path_restored",
                   path + " was unlinked" + suspicion() + "; linked to the same socket again");
    } else if (state == os::UnixPath::State::taken && should_log(++entry.restored)) {
        log_.write(core::Level::error, "path_taken",
                   "another file replaced " + path + suspicion() + "; clients no longer reach this service");
    }
    return state;
}

void Listeners::replace_socket(Entry& entry) {
    const std::string path = entry.listener.path->path();
    const bool reopened = listen_again(entry) == os::Revival::reopened;
    log_.write(core::Level::error, "path_lost",
               path + " and its backup link were deleted" + suspicion() +
                   (reopened ? "; a new socket is bound there: restart the workers, which have the old one open"
                             : "; clients no longer reach this service: restart it"));
}

std::string Listeners::suspicion() const { return suspect_.empty() ? "" : "; " + suspect_; }

}  // namespace holdfast::runtime
