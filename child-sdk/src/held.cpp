// What the program holds in its hands: requests, sessions, items of work, resources.

#include <holdfast/request.hpp>
#include <holdfast/resource.hpp>
#include <utility>

#include "conductor.hpp"
#include "process.hpp"

namespace holdfast {

void Request::give_back(void* slot) {
    if (is_worker_process()) Ledger::end(static_cast<Ledger::Slot*>(slot));
}

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
    if (const auto state = std::exchange(state_, nullptr)) state->conductor->end_session(*state);
}

std::stop_token Session::stop_token() const { return state_ ? state_->stop.get_token() : std::stop_token(); }

std::optional<std::chrono::steady_clock::time_point> Session::deadline() const {
    return state_ ? state_->conductor->deadline_of(*state_) : std::nullopt;
}

Work::Work(std::shared_ptr<WorkState> state) : state_(std::move(state)) {}

Work& Work::operator=(Work&& other) noexcept {
    if (this != &other) {
        if (state_) state_->conductor->let_go(*state_);
        state_ = std::move(other.state_);
    }
    return *this;
}

Work::~Work() {
    if (state_) state_->conductor->let_go(*state_);
}

Work::Outcome Work::claim() {
    return state_ && state_->conductor->claim(*state_) ? Outcome::ours : Outcome::handed_back;
}

Work::Outcome Work::finish() {
    const Outcome outcome = claim();
    if (const auto state = std::exchange(state_, nullptr)) state->conductor->let_go(*state);
    return outcome;
}

Resource::Resource(std::shared_ptr<Conductor> conductor, std::uint32_t id)
    : conductor_(std::move(conductor)), id_(id) {}

Resource& Resource::within(std::chrono::milliseconds close_period) {
    conductor_->set_close_period(id_, close_period);
    return *this;
}

void Resource::add_user(User user) { conductor_->add_user(id_, user); }

}  // namespace holdfast
