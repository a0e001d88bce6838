#include "runtime/listeners.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "os/errno_error.hpp"

namespace holdfast::runtime {

namespace {

using boost::asio::posix::stream_descriptor;

// The first eight are worth a line each, then every doubling: a worker that does it all day must not fill the log.
bool is_worth_a_line(std::uint64_t count) { return count <= 8 || std::has_single_bit(count); }

std::string times(std::uint64_t count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

}  // namespace

Listeners::Listeners(boost::asio::io_context& io, Log& log) : io_(io), log_(log) {}

Listeners::~Listeners() {
    forget(watch_descriptor_);
    for (auto& held : held_) forget(held.path_watch);
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
    for (auto& held : held_) {
        if (auto watched = watch(held); !watched) return watched;
    }
    if (const int failed = wait_for(watch_descriptor_, io_, watch_->fd())) {
        return os::errno_error("wait for what workers do to listeners", failed);
    }
    await_shutdown();
    return {};
}

Result<void> Listeners::watch(Held& held) {
    if (!watch_) return {};
    if (auto added = watch_->add(held.listener.fd.get(), held.id.value); !added) return added.error();
    watch_path(held);
    return {};
}

const Listeners::Held* Listeners::find(ListenerId id) const {
    const auto found = std::ranges::find(held_, id, &Held::id);
    return found == held_.end() ? nullptr : &*found;
}

Listeners::Held* Listeners::find(ListenerId id) {
    const auto found = std::ranges::find(held_, id, &Held::id);
    return found == held_.end() ? nullptr : &*found;
}

std::vector<int> Listeners::fds(const ListenerUses& uses) const {
    std::vector<int> result;
    for (const auto& use : uses) {
        const Held* held = find(use.id);
        result.push_back(held != nullptr ? held->listener.fd.get() : -1);
    }
    return result;
}

std::vector<std::string> Listeners::names() const {
    std::vector<std::string> result;
    for (const auto& use : in_force_) result.push_back(use.name);
    return result;
}

std::vector<core::ListenerStatus> Listeners::status(const ListenerUses& uses) const {
    std::vector<core::ListenerStatus> result;
    for (const auto& use : uses) {
        const Held* held = find(use.id);
        if (held == nullptr) continue;
        result.push_back({use.name, held->listener.bound, held->listener.backlog.value_or(0), held->revived});
    }
    return result;
}

void Listeners::set_admission(core::Admission admission) {
    if (admission == admission_) return;
    admission_ = admission;
    for (auto& held : held_) {
        if (held.admission == core::Admission::accept) apply_admission(held);
    }
}

void Listeners::set_removed_listener_admission(const ListenerUses& uses, core::Admission admission) {
    const bool is_refusal = admission == core::Admission::refuse;
    for (auto& held : held_) {
        const bool is_other = std::ranges::find(uses, held.id, &ListenerUse::id) == uses.end();
        if (held.admission == admission) continue;
        if (is_refusal && (!is_other || !os::can_refuse_temporarily(held.listener))) continue;
        held.admission = admission;
        const std::string& bound = held.listener.bound;
        log_.write(core::Level::info, is_refusal ? "listener_refused" : "listener_accepts",
                   is_refusal ? "nobody accepts on " + bound + " any more: new clients are refused"
                              : "clients of " + bound + " are let in again");
        if (admission_ == core::Admission::accept) apply_admission(held);
    }
}

bool Listeners::refuses(const Held& held) const {
    return admission_ == core::Admission::refuse || held.admission == core::Admission::refuse;
}

void Listeners::apply_admission(Held& held) {
    if (refuses(held)) {
        os::refuse(held.listener);
    } else if (listen_again(held) == os::Revival::failed) {
        log_.write(core::Level::error, "listener_lost", "cannot listen on " + held.listener.bound + " again");
    }
}

os::Revival Listeners::listen_again(Held& held) {
    // Out of sight meanwhile: it may come back as another socket, under another path watch.
    if (watch_) watch_->remove(held.listener.fd.get());
    forget(held.path_watch);
    const auto revival = os::listen_again(held.listener);
    // A dead listener would report its end again and again.
    if (watch_ && revival != os::Revival::failed) static_cast<void>(watch_->add(held.listener.fd.get(), held.id.value));
    if (watch_) watch_path(held);
    return revival;
}

void Listeners::check_backlogs() {
    for (auto& held : held_) {
        const auto queue = os::inspect_queue(held.listener);
        if (!queue || !held.listener.backlog || queue->backlog >= *held.listener.backlog) continue;
        if (!os::restore_backlog(held.listener)) continue;
        if (!is_worth_a_line(++held.restored)) continue;
        log_.write(core::Level::warning, "backlog_restored",
                   "somebody lowered the backlog of " + held.listener.bound + " from " +
                       std::to_string(*held.listener.backlog) + " to " + std::to_string(queue->backlog) + suspicion() +
                       "; restored");
    }
}

void Listeners::await_shutdown() {
    watch_descriptor_->async_wait(stream_descriptor::wait_read, [this](boost::system::error_code failed) {
        if (failed) return;
        for (const auto key : watch_->take()) {
            for (auto& held : held_) {
                if (held.id.value == key) revive(held);
            }
        }
        await_shutdown();
    });
}

void Listeners::watch_path(Held& held) {
    forget(held.path_watch);
    if (!held.listener.path || held.listener.path->watch_fd() < 0) return;
    if (wait_for(held.path_watch, io_, held.listener.path->watch_fd()) == 0) await_unlink(held);
}

void Listeners::await_unlink(Held& held) {
    held.path_watch->async_wait(stream_descriptor::wait_read, [this, id = held.id](boost::system::error_code failed) {
        Held* found = find(id);  // it may have been closed meanwhile
        if (failed || found == nullptr || !found->path_watch) return;
        if (restore_path(*found) == os::UnixPath::State::lost) {
            replace_socket(*found);
        } else {
            await_unlink(*found);
        }
    });
}

void Listeners::revive(Held& held) {
    if (refuses(held) || !os::is_shut_down(held.listener)) return;
    const auto revival = listen_again(held);
    if (revival == os::Revival::failed) {
        log_.write(core::Level::error, "listener_lost",
                   "cannot revive " + held.listener.bound + ", which a worker shut down" + suspicion() +
                       ": its clients are refused; restart the supervisor");
        return;
    }
    if (!is_worth_a_line(++held.revived)) return;
    std::string text = "a worker shut " + held.listener.bound + " down, for everybody" + suspicion() + "; revived (" +
                       times(held.revived) + " so far)";
    if (revival == os::Revival::reopened) text += "; workers that run now hold the dead socket: restart them";
    log_.write(core::Level::warning, "listener_revived", text);
}

os::UnixPath::State Listeners::restore_path(Held& held) {
    const auto state = held.listener.path->restore();
    const std::string& path = held.listener.path->path();
    if (state == os::UnixPath::State::restored && is_worth_a_line(++held.restored)) {
        log_.write(core::Level::warning, "path_restored",
                   "somebody unlinked " + path + suspicion() + "; linked back to the same socket");
    } else if (state == os::UnixPath::State::taken && is_worth_a_line(++held.restored)) {
        log_.write(core::Level::error, "path_taken",
                   "somebody put another file at " + path + suspicion() + ": clients no longer reach this service");
    }
    return state;
}

void Listeners::replace_socket(Held& held) {
    const std::string path = held.listener.path->path();
    const bool reopened = listen_again(held) == os::Revival::reopened;
    log_.write(core::Level::error, "path_lost",
               path + " and the link beside it were taken away" + suspicion() +
                   (reopened ? "; a new socket is bound there: restart the workers, they hold the old one"
                             : ": clients no longer reach this service; restart it"));
}

std::string Listeners::suspicion() const { return suspect_.empty() ? "" : "; " + suspect_; }

}  // namespace holdfast::runtime
