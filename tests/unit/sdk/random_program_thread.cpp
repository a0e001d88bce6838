#include "random_program_thread.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_kept = 6;  // of each kind

// Removes and returns a random element.
template <class Thing>
Thing take_one(std::vector<Thing>& things, Random& random) {
    std::swap(things[pick(random, static_cast<unsigned>(things.size()))], things.back());
    Thing one = std::move(things.back());
    things.pop_back();
    return one;
}

}  // namespace

RandomProgram::Thread::Thread(RandomProgram& program, unsigned seed)
    : program_(program), random_(seed), thread_([this] { run(); }) {}

// Sessions and items of work are kept longer than requests, so that they are used during the release. They end with the
// vectors, on the thread that destroys them.
void RandomProgram::Thread::run() {
    try {
        while (!program_.winding_up_.stop_requested()) {
            act();
        }
    } catch (const std::logic_error&) {
        program_.was_refused_ = true;  // because the release has begun
    }
    std::erase_if(work_, [this](KeptWork& kept) { return !program_.claim(*kept.item, kept.work); });
    use_kept();
    wait_for(program_.winding_up_.get_token());
    while (!requests_.empty()) {
        end_request(take_one(requests_, random_));
    }
    for (unsigned uses = pick(random_, 400); uses > 0; --uses) {
        use_kept();
    }
}

// Only claimed work: other work may be handed back meanwhile.
void RandomProgram::Thread::use_kept() {
    if (!sessions_.empty()) {
        use_all(program_.used_by_sessions_, program_.violations_);
    }
    if (!work_.empty()) {
        use_all(program_.used_by_work_, program_.violations_);
    }
}

void RandomProgram::Thread::act() {
    switch (pick(random_, 18)) {
        case 0:
            return begin_session();
        case 1:
        case 2:
            return leave();
        case 3:
            return hold_work();
        case 4:
        case 5:
            return finish_work();
        case 6:
            return pick(random_, 8) == 0 ? start_task() : add_resource();
        case 7:
            return end_request(program_.take_passed_on());
        case 10:
            return end_on_new_thread();
        case 11:
            return look();
        case 8:
        case 9:
            return end_request(requests_.empty() ? std::nullopt : std::optional(take_one(requests_, random_)));
        default:
            return begin_request();
    }
}

void RandomProgram::Thread::begin_request() {
    Request request = program_.worker_.begin_request("GET /");
    ++program_.begun_;
    use_all(program_.used_by_requests_, program_.violations_);
    use_all(own_, program_.violations_);
    if (pick(random_, 8) == 0) {
        program_.pass_on(std::move(request));
    } else if (pick(random_, 8) == 0 && requests_.size() < most_kept) {
        requests_.push_back(std::move(request));
    }
}

void RandomProgram::Thread::end_request(std::optional<Request> request) {
    if (request) {
        use_all(program_.used_by_requests_, program_.violations_);
    }
}

void RandomProgram::Thread::end_on_new_thread() {
    if (!requests_.empty() && pick(random_, 8) == 0) {
        std::jthread([this, request = take_one(requests_, random_)]() mutable { end_request(std::move(request)); });
    }
}

void RandomProgram::Thread::look() {
    const DrainReport report = program_.worker_.report();
    if (report.requests < requests_.size() || report.sessions < sessions_.size()) {
        program_.findings_.add("a report counts less than one thread holds:\n" + report.text());
    }
    std::ignore = program_.worker_.deadline();
}

void RandomProgram::Thread::begin_session() {
    if (sessions_.size() == most_kept) {
        return;
    }
    constexpr std::chrono::milliseconds periods[] = {std::chrono::milliseconds(0), std::chrono::milliseconds(1),
                                                     std::chrono::minutes(5)};
    std::optional<std::chrono::milliseconds> leave_within;
    if (pick(random_, 2) == 0) {
        leave_within = periods[pick(random_, 3)];
    }
    sessions_.push_back(program_.worker_.begin_session("stream", leave_within));
    use_all(program_.used_by_sessions_, program_.violations_);
}

// Some sessions leave when they are asked to; others some time.
void RandomProgram::Thread::leave() {
    if (sessions_.empty()) {
        return;
    }
    Session session = take_one(sessions_, random_);
    session.set_name("stream that has been renamed");
    if (pick(random_, 8) == 0) {
        session.set_leave_within(std::chrono::milliseconds(pick(random_, 5)));
    }
    use_all(program_.used_by_sessions_, program_.violations_);
    if (!session.stop_token().stop_requested() && pick(random_, 4) > 0) {
        sessions_.push_back(std::move(session));
    }
}

void RandomProgram::Thread::hold_work() {
    if (work_.size() == most_kept) {
        return;
    }
    Item& item = program_.new_item();
    const HandBack hand_back = pick(random_, 200) == 0 ? HandBack::fails : HandBack::works;
    work_.push_back({&item, program_.worker_.hold_work("item", [program = &program_, &item, hand_back] {
                         program->hand_back(item, hand_back);
                     })});
    item.was_held = true;
}

void RandomProgram::Thread::finish_work() {
    if (work_.empty()) {
        return;
    }
    KeptWork kept = take_one(work_, random_);
    if (pick(random_, 4) > 0) {
        program_.finish(*kept.item, kept.work);
    }
}

void RandomProgram::Thread::start_task() { program_.start_short_task(random_); }

// The request holds the resource until its users are declared.
void RandomProgram::Thread::add_resource() {
    if (own_.size() == most_kept) {
        return;
    }
    const Request request = program_.worker_.begin_request("add a resource");
    ++program_.begun_;
    WatchedPool& pool = program_.later_pool();
    Resource added = program_.worker_.resource("later", [&pool, program = &program_] {
        pool.close(program->violations_);
        --program->later_open_;
    });
    ++program_.later_open_;
    added.used_by(requests).within(sufficient);
    own_.push_back(&pool);
}

}  // namespace holdfast
