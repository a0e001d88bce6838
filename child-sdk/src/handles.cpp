// The handles that a program holds: requests, sessions, items of work, resources.

#include <holdfast/request.hpp>
#include <holdfast/resource.hpp>
#include <utility>

#include "stage_machine.hpp"

namespace holdfast {

void Request::give_back(void* slot) { RequestRegistry::end(static_cast<RequestRegistry::Slot*>(slot)); }

Session::Session(std::shared_ptr<SessionState> state) : state_(std::move(state)) {}

Session& Session::operator=(Session&& other) noexcept {
    if (this != &other) {
        end();
        state_ = std::move(other.state_);
    }
    return *this;
}

Session::~Session() { end(); }

void Session::end() {
    if (const auto state = std::exchange(state_, nullptr)) state->stage_machine->end_session(*state);
}

std::stop_token Session::stop_token() const { return state_ ? state_->stop.get_token() : std::stop_token(); }

void Session::set_name(std::string_view name) {
    if (state_) state_->stage_machine->rename_session(*state_, name);
}

void Session::set_leave_within(std::chrono::milliseconds period) {
    if (state_) state_->stage_machine->set_leave_within(*state_, period);
}

std::optional<std::chrono::steady_clock::time_point> Session::deadline() const {
    return state_ ? state_->stage_machine->deadline_of(*state_) : std::nullopt;
}

Work::Work(std::shared_ptr<WorkState> state) : state_(std::move(state)) {}

Work& Work::operator=(Work&& other) noexcept {
    if (this != &other) {
        if (state_) state_->stage_machine->release_work(*state_);
        state_ = std::move(other.state_);
    }
    return *this;
}

Work::~Work() {
    if (state_) state_->stage_machine->release_work(*state_);
}

Work::Outcome Work::claim() {
    return state_ && state_->stage_machine->claim(*state_) ? Outcome::ours : Outcome::handed_back;
}

Work::Outcome Work::finish() {
    const Outcome outcome = claim();
    if (const auto state = std::exchange(state_, nullptr)) state->stage_machine->release_work(*state);
    return outcome;
}

Resource::Resource(std::shared_ptr<StageMachine> stage_machine, std::uint32_t id)
    : stage_machine_(std::move(stage_machine)), id_(id) {}

Resource& Resource::within(std::chrono::milliseconds close_period) {
    stage_machine_->set_close_period(id_, close_period);
    return *this;
}

void Resource::add_user(User user) { stage_machine_->add_user(id_, user); }

}  // namespace holdfast
