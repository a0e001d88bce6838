// What the program and the helper ask of a conductor. The steps are in conductor_steps.cpp.

#include "conductor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "complaint.hpp"
#include "period.hpp"
#include "process.hpp"
#include "wire/wire.hpp"

namespace holdfast {

namespace {

// How far a stage leads away from serving.
int rank_of(Stage stage) {
    switch (stage) {
        case Stage::run:
            return 0;
        case Stage::lame_duck:
            return 1;
        case Stage::pause:
            return 2;
        case Stage::drain:
            return 3;
        case Stage::cancel:
            return 4;
    }
    return 0;
}

std::optional<Conductor::Clock::time_point> instant(std::optional<std::int64_t> usec) {
    if (!usec) return std::nullopt;
    // The clock counts nanoseconds: what it cannot hold is later than anybody waits.
    constexpr std::int64_t latest = INT64_MAX / 1000;
    return Conductor::Clock::time_point(std::chrono::microseconds(std::min(*usec, latest)));
}

std::string cut_name(std::string_view name) { return std::string(wire::cut(name, max_name_bytes)); }

}  // namespace

std::shared_ptr<Conductor> Conductor::make(UniqueFd control, Steps steps, Runner::Post post,
                                           std::function<void()> changed) {
    std::shared_ptr<Conductor> made(new Conductor(std::move(control), steps, std::move(post), std::move(changed)));
    made->ledger_ = std::make_shared<Ledger>([weak = made->weak_from_this()] {
        const auto conductor = weak.lock();
        if (!conductor) return;
        const std::lock_guard lock(conductor->mutex_);
        conductor->note_change();
    });
    return made;
}

Conductor::Conductor(UniqueFd control, Steps steps, Runner::Post post, std::function<void()> changed)
    : pipe_(std::move(control)),
      pid_(present_process()),
      steps_(steps),
      runner_(std::move(post)),
      tasks_([this] {
          const std::lock_guard lock(mutex_);
          note_change();
      }),
      changed_elsewhere_(std::move(changed)) {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
}

void Conductor::add_callback(Stage stage, Callback callback) {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::starting) {
        throw std::logic_error("cannot add a callback for " + std::string(wire::name_of(stage)) +
                               ": its stage may have begun; add callbacks before ready() and wait()");
    }
    callbacks_.add(stage, std::move(callback));
}

void Conductor::add_released_callback(Callback callback) {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::starting) {
        throw std::logic_error("cannot add a callback for released: add callbacks before ready() and wait()");
    }
    callbacks_.add_released(std::move(callback));
}

std::uint32_t Conductor::start_task(std::string name, std::function<void(std::stop_token)> task) {
    const std::string what = "start the task " + name;
    const auto number = tasks_.start(cut_name(name), std::move(task));
    if (!number) refuse(what);
    return *number;
}

std::uint32_t Conductor::add_resource(std::string name, std::function<void()> close, ResourceGraph::Order order) {
    const std::lock_guard lock(mutex_);
    refuse_if_releasing("take charge of " + name);
    return resources_.add(std::move(name), std::move(close), order, Clock::now());
}

void Conductor::add_user(std::uint32_t resource, User user) {
    refuse_in_child("tell who uses a resource");
    const std::lock_guard lock(mutex_);
    resources_.use(resource, user);
}

void Conductor::set_close_period(std::uint32_t resource, std::chrono::milliseconds period) {
    refuse_in_child("limit a close");
    const std::lock_guard lock(mutex_);
    resources_.set_close_period(resource, bounded(period));
}

Ledger::Slot* Conductor::begin_request(std::string_view name) {
    if (is_forked_child()) return nullptr;
    Ledger::Slot* slot = ledger_->begin(name);
    if (slot == nullptr) refuse("begin " + std::string(name));
    return slot;
}

std::shared_ptr<SessionState> Conductor::begin_session(std::string_view name,
                                                       std::optional<std::chrono::milliseconds> leave_within) {
    if (is_forked_child()) return nullptr;
    const auto now = Clock::now();
    auto session = std::make_shared<SessionState>();
    session->conductor = shared_from_this();
    session->name = cut_name(name);
    session->since = now;
    if (leave_within) session->leave_within = bounded(*leave_within);
    const std::lock_guard lock(mutex_);
    refuse_if_releasing("begin " + std::string(name));
    sessions_.add(*session);
    if ((reached_ == Stage::drain && wanted_ == Stage::drain) || cancelled_) {
        session->told = now;
        session->stop.request_stop();
    }
    return session;
}

void Conductor::end_session(SessionState& session) {
    if (is_forked_child()) return;  // the mutex may have been another thread's at the fork
    const std::lock_guard lock(mutex_);
    sessions_.remove(session);
    if (wanted_ == Stage::drain) note_change();
}

std::optional<Conductor::Clock::time_point> Conductor::deadline_of(const SessionState& session) const {
    if (is_forked_child()) return std::nullopt;
    const std::lock_guard lock(mutex_);
    if (!session.told) return std::nullopt;
    if (!session.leave_within) return deadline_;
    return *session.told + *session.leave_within;
}

std::shared_ptr<WorkState> Conductor::hold_work(std::string_view name, std::function<void()> hand_back) {
    if (is_forked_child()) return nullptr;
    auto item = std::make_shared<WorkState>();
    item->conductor = shared_from_this();
    item->name = cut_name(name);
    item->since = Clock::now();
    item->hand_back = std::move(hand_back);
    Lock lock(mutex_);
    const bool is_done_with = phase_ == Phase::releasing && holds_nothing();
    if (is_done_with || phase_ == Phase::finishing || phase_ == Phase::released) {
        refuse("take charge of " + std::string(name));
    }
    items_.add(*item);
    if (cancelled_) put_back(items_.begin_hand_back(*item), lock);  // the others have gone back already
    return item;
}

bool Conductor::claim(WorkState& item) {
    if (is_forked_child()) return false;
    const std::lock_guard lock(mutex_);
    return items_.claim(item);
}

void Conductor::let_go(WorkState& item) {
    if (is_forked_child()) return;
    Lock lock(mutex_);
    items_.release(item);
    put_back(items_.begin_hand_back(item), lock);
    if (wanted_ == Stage::drain) note_change();
}

void Conductor::put_back(const Items::Due& due, Lock& lock) {
    for (const auto& item : due) {
        lock.unlock();
        call_or_complain("cannot hand back " + item->name, item->hand_back);
        item->hand_back = nullptr;
        lock.lock();
        items_.end_hand_back(*item);
    }
    if (!due.empty() && wanted_ == Stage::drain) note_change();
}

void Conductor::ready() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_ready_, true)) throw std::logic_error("ready() was called before: once is enough");
    begin_serving();
    Report said = facts(Clock::now());
    said.ready = true;
    if (rank_of(wanted_) < rank_of(Stage::pause)) said.accepting = true;
    pipe_.say(said);
}

int Conductor::wait() {
    Lock lock(mutex_);
    const auto is_self = [](const std::thread& thread) { return thread.get_id() == std::this_thread::get_id(); };
    if (is_self(conductor_) || is_self(canceller_) || std::ranges::any_of(closers_, is_self)) {
        throw std::logic_error("cannot wait() in a callback: it would wait for itself; call it in main");
    }
    begin_serving();
    ++waiters_;
    changed_.wait(lock, [this] { return is_released() || gave_up_; });
    --waiters_;
    return gave_up_ || left_something_ ? left_something_status : 0;
}

std::optional<int> Conductor::result() const {
    const std::lock_guard lock(mutex_);
    if (!is_released() && !gave_up_) return std::nullopt;
    return gave_up_ || left_something_ ? left_something_status : 0;
}

std::optional<Conductor::Clock::time_point> Conductor::deadline() const {
    const std::lock_guard lock(mutex_);
    return deadline_;
}

bool Conductor::is_serving() const {
    const std::lock_guard lock(mutex_);
    return is_ready_ && wanted_ == Stage::run && reached_ == Stage::run && phase_ == Phase::serving;
}

bool Conductor::is_finished() const {
    const std::lock_guard lock(mutex_);
    return is_released() || gave_up_;
}

bool Conductor::is_cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
}

bool Conductor::is_forked_child() const { return present_process() != pid_; }

void Conductor::obey(const Command& command) {
    const std::lock_guard lock(mutex_);
    const bool is_final = cancelled_ || phase_ == Phase::releasing;
    const Stage stage = command.stage;
    if (phase_ == Phase::finishing || phase_ == Phase::released) return;
    if (is_final && rank_of(stage) < rank_of(cancelled_ ? Stage::cancel : Stage::drain)) return;
    if (stage != Stage::run && rank_of(stage) < rank_of(wanted_)) return;
    deadline_ = stage == Stage::run ? std::nullopt : instant(command.deadline_usec);
    answer_due_ = stage == Stage::run;
    wanted_ = stage == Stage::cancel ? Stage::drain : stage;
    draining_.store(wanted_ == Stage::drain, std::memory_order_relaxed);
    if (stage == Stage::cancel) cancel();
    note_change();
}

// Not under the lock: nobody may read what we write.
void Conductor::complain_of_held(std::string_view why) const {
    const DrainReport state = report();
    if (!state.waiting.empty()) complain(why, state);
}

Conductor::GaveUp Conductor::give_up() {
    const DrainReport state = report();  // written without the lock: nobody may read what we write
    {
        const std::lock_guard lock(mutex_);
        if (is_released()) return GaveUp::too_late;
        left_something_ = true;
    }
    complain("the last deadline has passed; this is still held:", state);
    const std::lock_guard lock(mutex_);
    if (is_released()) return GaveUp::too_late;
    if (waiters_ == 0 && steps_ == Steps::own_thread) std::_Exit(left_something_status);
    gave_up_ = true;
    note_change();
    return GaveUp::yes;
}

void Conductor::shut_down() {
    {
        const std::lock_guard lock(mutex_);
        if (gave_up_ && !is_released()) std::_Exit(left_something_status);
        shutting_down_ = true;
        changed_elsewhere_ = nullptr;
        note_change();
    }
    runner_.stop();
    tasks_.request_stop();
    if (conductor_.joinable()) conductor_.join();
    if (canceller_.joinable()) canceller_.join();
    for (std::thread& closer : closers_) closer.join();
    tasks_.join_all();
    // What the program's functions own may hold a session, which holds us.
    const StageCallbacks callbacks = std::exchange(callbacks_, {});
    const ResourceGraph resources = std::exchange(resources_, {});
}

void Conductor::note_change() {
    ++changes_;
    changed_.notify_all();
    if (changed_elsewhere_) changed_elsewhere_();
}

void Conductor::open() {
    const std::lock_guard lock(mutex_);
    begin_serving();
}

void Conductor::begin_serving() {
    if (phase_ == Phase::starting) phase_ = Phase::serving;
    note_change();
}

void Conductor::refuse_if_releasing(std::string_view what) const {
    if (phase_ != Phase::starting && phase_ != Phase::serving) refuse(what);
}

void Conductor::refuse_in_child(std::string_view what) const {
    if (!is_forked_child()) return;
    throw std::logic_error("cannot " + std::string(what) +
                           ": this process is a forked child of the worker, not the worker; do it in the parent");
}

void Conductor::refuse(std::string_view what) {
    throw std::logic_error("cannot " + std::string(what) +
                           ": the drain is over and resources are being closed; accept nothing after on_drain, and "
                           "hold a session for a connection that may still ask");
}

}  // namespace holdfast
