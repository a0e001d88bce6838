#include "tests/support/fake_world.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::testing {

namespace {

std::vector<Waiting> held_items() {
    return {Waiting{"request", "GET /report", 1500}, Waiting{"task", "consumer", 90'000}};
}

constexpr std::size_t max_violations = 20;

}  // namespace

FakeWorld::FakeWorld(const core::Policy& policy, std::uint64_t seed, ScriptSource script_source, Lateness lateness)
    : policy_(policy),
      script_source_(std::move(script_source)),
      late_(std::move(lateness)),
      supervisor_(policy, seed) {}

void FakeWorld::violated(std::string what) {
    if (violations_.size() < max_violations) violations_.push_back(std::move(what));
}

const FakeWorker* FakeWorld::find(WorkerId id) const {
    const auto found =
        std::find_if(workers_.rbegin(), workers_.rend(), [&](auto& worker) { return worker.id() == id; });
    return found == workers_.rend() ? nullptr : &*found;
}

void FakeWorld::start() {
    actions_ = supervisor_.start(now_);
    after_actions();
}

void FakeWorld::feed(const core::Event& event) {
    if (exit_code_) return;
    event_ = event;
    ++events_;
    actions_ = supervisor_.step(event_, now_);
    after_actions();
}

void FakeWorld::after_actions() {
    std::swap(before_, status_);
    carry_out_all();
    status_ = supervisor_.snapshot(now_);
}

std::size_t FakeWorld::ask(core::Request request, Asker asker, Duration after) {
    const RequestId id{asker == Asker::waits ? ++last_request_ : 0};
    requests_.push_back({.id = id, .request = std::move(request), .due = now_ + after});
    plan(requests_.size() - 1, What::asked, after);
    ++future_requests_;
    return requests_.size() - 1;
}

std::size_t FakeWorld::ask_reload(core::Reload reload, FakeSpecs::Listeners listeners, Asker asker, Duration after) {
    reload.plan = PlanId{++last_plan_};
    plan_listeners_.resize(last_plan_ + 1);
    plan_listeners_[last_plan_] = listeners;
    return ask({std::move(reload), "uid 1000, pid 3101 over the API"}, asker, after);
}

void FakeWorld::disturb(Disturbance what, Duration after, Duration length) {
    disturbances_.push_back({what, length});
    plan(disturbances_.size() - 1, What::disturbed, after);
}

bool FakeWorld::later(const Plan& one, const Plan& other) {
    if (one.at != other.at) return one.at > other.at;
    if (one.rank != other.rank) return one.rank > other.rank;
    return one.sequence > other.sequence;
}

void FakeWorld::plan(std::size_t subject, What what, Duration after, std::uint32_t epoch, ExitStatus status) {
    const bool is_exit = what == What::main_exited || what == What::exited;
    const bool is_from_outside = what == What::asked || what == What::disturbed;
    const std::uint8_t rank = is_from_outside ? 2 : is_exit ? 1 : 0;
    plans_.push_back({now_ + after, rank, ++sequence_, subject, epoch, what, status});
    std::push_heap(plans_.begin(), plans_.end(), later);
}

bool FakeWorld::is_void(const Plan& plan) const {
    if (plan.what == What::asked || plan.what == What::disturbed) return false;
    if (plan.what == What::prepared) return preparations_[plan.subject].state == Preparation::State::over;
    const FakeWorker& worker = workers_[plan.subject];
    if (!worker.is_alive()) return true;
    if (plan.what == What::probe_answer || plan.what == What::claim_answer) return false;
    if (plan.epoch != 0 && plan.epoch != worker.epoch) return true;
    if (plan.what == What::exited || plan.what == What::looked_again) return false;
    if (plan.what == What::spawned || plan.what == What::spawn_failed)
        return worker.life != FakeWorker::Life::launching;
    return worker.life != FakeWorker::Life::running;
}

void FakeWorld::drop_void_plans() {
    while (!plans_.empty() && is_void(plans_.front())) {
        std::pop_heap(plans_.begin(), plans_.end(), later);
        plans_.pop_back();
    }
}

std::optional<Instant> FakeWorld::deadline_due() {
    const auto deadline = supervisor_.next_deadline();
    if (!deadline) return std::nullopt;
    if (deadline != deadline_seen_) {
        deadline_seen_ = deadline;
        deadline_due_ = std::max(*deadline, now_) + (late_ ? late_() : Duration{});
    }
    return deadline_due_;
}

Duration FakeWorld::lateness() const {
    const bool is_overdue = deadline_seen_ && *deadline_seen_ < now_;
    return lateness_spent_ + (is_overdue ? now_ - *deadline_seen_ : Duration{});
}

bool FakeWorld::step() {
    if (exit_code_) return false;
    drop_void_plans();
    const auto deadline = deadline_due();
    if (plans_.empty() && !deadline) return false;
    // Events that arrived during a stall are delivered before the deadlines that passed during it.
    const bool is_catching_up = woke_at_ && !plans_.empty() && plans_.front().at <= *woke_at_;
    if (plans_.empty() || (deadline && *deadline < plans_.front().at && !is_catching_up)) {
        now_ = std::max(now_, *deadline);
        deliver_elapsed();
        return true;
    }
    std::pop_heap(plans_.begin(), plans_.end(), later);
    const Plan next = plans_.back();
    plans_.pop_back();
    now_ = std::max(now_, next.at);
    deliver(next);
    return true;
}

void FakeWorld::deliver_elapsed() {
    if (deadline_seen_) lateness_spent_ += std::max(Duration{}, now_ - *deadline_seen_);
    feed(core::Elapsed{});
    const auto deadline = supervisor_.next_deadline();
    if (deadline && *deadline <= now_ && !exit_code_) violated("a deadline is still due after Elapsed: a busy loop");
    deadline_seen_.reset();
}

void FakeWorld::deliver(const Plan& plan) {
    if (plan.what == What::asked) return deliver_request(requests_[plan.subject]);
    if (plan.what == What::disturbed) return deliver_disturbance(disturbances_[plan.subject]);
    if (plan.what == What::prepared) return deliver_prepared(preparations_[plan.subject]);
    FakeWorker& worker = workers_[plan.subject];
    switch (plan.what) {
        case What::spawned:
            worker.life = FakeWorker::Life::running;
            worker.spawned_at = now_;
            start_script(plan.subject);
            if (worker.killed_at) this->plan(plan.subject, What::exited, Duration{}, 0, KilledBy{9});
            return feed(core::Spawned{worker.id(), static_cast<int>(1000 + plan.subject)});
        case What::spawn_failed:
            worker.life = FakeWorker::Life::ended;
            return feed(
                core::SpawnFailed{worker.id(), std::string(worker.script.launch_stage), worker.script.launch_error});
        case What::channel_lost:
            worker.has_lost_channel = true;
            return feed(core::ChannelLost{worker.id()});
        case What::main_exited:
        case What::exited:
            return deliver_exit(plan, worker);
        case What::looked_again:
            return feed(core::LookedAgain{worker.id(), worker.script.wrapper->strays, ""});
        case What::probe_answer:
            return deliver_probe_answer(worker);
        case What::claim_answer:
            worker.is_claim_checked = false;
            return feed(
                core::ListenerClaimed{worker.id(), worker.script.claim, "no process of the worker has it open"});
        default:
            return deliver_message(plan, worker);
    }
}

void FakeWorld::deliver_exit(const Plan& plan, FakeWorker& worker) {
    const WorkerId id = worker.id();
    if (plan.what == What::exited) {
        worker.life = FakeWorker::Life::ended;
        worker.accepts = false;
        return feed(core::Exited{id, plan.status, {"last words"}});
    }
    worker.life = FakeWorker::Life::main_ended;
    const Wrapper wrapper = worker.script.wrapper.value_or(Wrapper{});
    if (!worker.killed_at) this->plan(plan.subject, What::exited, wrapper.group_outlives, 0, plan.status);
    if (wrapper.seen == Wrapper::Seen::at_once) return feed(core::MainExited{id, plan.status, 1, wrapper.strays});
    constexpr Duration look_interval = std::chrono::milliseconds(200);
    if (wrapper.seen == Wrapper::Seen::late) this->plan(plan.subject, What::looked_again, look_interval);
    feed(core::MainExited{id, plan.status, 0, 0, "cannot list /proc: Too many open files"});
}

void FakeWorld::deliver_message(const Plan& plan, FakeWorker& worker) {
    core::Said said{worker.id(), {}};
    Report& report = said.report;
    switch (plan.what) {
        case What::hello:
            report.hello = true;
            report.stages = worker.script.stages;
            worker.hello_at = now_;
            break;
        case What::ready:
            report.ready = true;
            worker.ready_at = now_;
            break;
        case What::stopping:
            report.stopping = true;
            worker.has_said_stopping = true;
            break;
        case What::extend:
            report.extend_usec = worker.script.extends_by.count();
            break;
        case What::not_accepting:
            report.accepting = worker.accepts = false;
            break;
        case What::accepting:
            report.accepting = worker.accepts = true;
            worker.has_said_stopping = false;
            break;
        case What::releasing:
            report.releasing = worker.has_released = true;
            break;
        case What::heartbeat:
            report.watchdog = Watchdog::alive;
            worker.has_sent_heartbeat = true;
            plan_next_heartbeat(plan.subject);
            break;
        case What::watchdog_trigger:
            report.watchdog = Watchdog::trigger;
            break;
        case What::report:
            report.in_flight = 2;
            report.waiting = held_items();
            break;
        default:
            report.drained = worker.has_released = true;
            report.waiting.emplace();
            break;
    }
    feed(said);
}

void FakeWorld::deliver_request(FakeRequest& ask) {
    ask.was_asked = true;
    --future_requests_;
    if (ask.id.value != 0) ++open_requests_;
    if (const auto* reload = std::get_if<core::Reload>(&ask.request.what))
        specs_.read(reload->plan, plan_listeners_.at(reload->plan.value));
    feed(core::Asked{ask.id, ask.request});
}

void FakeWorld::deliver_disturbance(const Disturbed& disturbed) {
    switch (disturbed.what) {
        case Disturbance::tick:
            return feed(core::Elapsed{});
        case Disturbance::late_word:
            return deliver_late_message();
        case Disturbance::late_preparation:
            feed(core::Prepared{LaunchSpecId{1'000'000}, "", {}});
            return;
        case Disturbance::stall:
            now_ += disturbed.length;
            lateness_spent_ += disturbed.length;
            woke_at_ = now_;
            return feed(core::ChannelLost{WorkerId{0}});  // the first event after the stall, for an unknown worker
    }
}

void FakeWorld::deliver_late_message() {
    const auto gone =
        std::find_if(workers_.begin(), workers_.end(), [](const FakeWorker& worker) { return worker.is_forgotten; });
    if (gone == workers_.end()) return feed(core::Elapsed{});
    core::Said late_message{gone->id(), {}};
    late_message.report.ready = true;
    feed(late_message);
}

void FakeWorld::advance(Duration duration) {
    const Instant end = now_ + duration;
    while (!exit_code_) {
        drop_void_plans();
        const auto deadline = deadline_due();
        const bool is_more = (deadline && *deadline <= end) || (!plans_.empty() && plans_.front().at <= end);
        if (!is_more) break;
        step();
    }
    now_ = std::max(now_, end);
}

bool FakeWorld::run_until(const std::function<bool()>& fact, Duration within) {
    const Instant end = now_ + within;
    while (!fact()) {
        if (now_ > end || !step()) return false;
    }
    return true;
}

}  // namespace holdfast::testing
