#include <poll.h>

#include <cstdlib>
#include <holdfast/worker.hpp>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "address.hpp"
#include "control_thread.hpp"
#include "environment.hpp"
#include "hello.hpp"
#include "inherited_listeners.hpp"
#include "process.hpp"
#include "stage_machine.hpp"

namespace holdfast {

namespace {

// Environment variables, set by the operator, override the program's options.
WorkerOptions with_environment(WorkerOptions options) {
    options.lame_duck = duration_from("HOLDFAST_LAME_DUCK", options.lame_duck);
    options.grace_period = duration_from("HOLDFAST_GRACE_PERIOD", options.grace_period);
    options.cancel_period = duration_from("HOLDFAST_CANCEL_PERIOD", options.cancel_period);
    options.keep_alive_min = duration_from("HOLDFAST_KEEP_ALIVE_MIN", options.keep_alive_min);
    if (const char* health = std::getenv("HOLDFAST_HEALTH"); health != nullptr) options.health = health;
    if (options.health.starts_with("unix:")) {
        throw std::invalid_argument("cannot serve health probes at " + options.health +
                                    ": workers share the address, which a unix path does not allow; use an address "
                                    "with a port, like 127.0.0.1:9901");
    }
    const bool dispatches = options.drive == WorkerOptions::Drive::dispatch;
    if (dispatches && options.post) {
        throw std::logic_error(
            "cannot combine WorkerOptions::post with Drive::dispatch: callbacks then run in dispatch(); remove one of "
            "the two");
    }
    return options;
}

StageMachine::Steps steps_of(const WorkerOptions& options) {
    return options.drive == WorkerOptions::Drive::dispatch ? StageMachine::Steps::advance
                                                           : StageMachine::Steps::own_thread;
}

// It would fail when it is called, long after the mistake.
template <class Function>
void refuse_empty(const Function& function, std::string_view what, std::string_view name) {
    if (function) return;
    throw std::logic_error("cannot " + std::string(what) + ' ' + std::string(name) +
                           ": its function is empty; pass one that can be called");
}

}  // namespace

class Worker::Impl {
  public:
    Impl(StartEnvironment environment, WorkerOptions given)
        : options(std::move(given)),
          process(environment.control.get()),
          stage_machine(StageMachine::make(std::move(environment.control), steps_of(options), options.post,
                                           options.give_up, [this] { process.wake(); })),
          listeners(std::move(environment.listeners)),
          control_thread(
              std::in_place, *stage_machine, process, listener_shutdown,
              StagePeriods{
                  .lame_duck = options.lame_duck, .grace = options.grace_period, .cancel = options.cancel_period},
              options.health, environment.watchdog) {
        for (const InheritedListener& listener : listeners.available()) {
            if (listener.may_shut_down) listener_shutdown.add(listener.fd.get(), Origin::inherited);
        }
        stage_machine->pipe().send(hello(Pausing::not_known));
        if (options.drive == WorkerOptions::Drive::helper_thread) {
            control_thread->start_thread();
        } else {
            Process::unblock_signals();
        }
    }

    ~Impl() {
        control_thread.reset();
        process.restore_signals();  // they are no longer handled, and a task may not end
        stage_machine->shut_down();
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    // The StageMachine; throws in a forked child.
    StageMachine& stage_machine_for(std::string_view what) const {
        stage_machine->refuse_in_child(what);
        return *stage_machine;
    }

    void expect_dispatch(std::string_view what) const {
        stage_machine_for(what);
        if (options.drive == WorkerOptions::Drive::dispatch) return;
        throw std::logic_error("cannot " + std::string(what) +
                               ": this worker has a control thread, which does it; create the worker with "
                               "WorkerOptions{.drive = WorkerOptions::Drive::dispatch}, or do not call this function");
    }

    const WorkerOptions options;
    Process process;
    std::shared_ptr<StageMachine> stage_machine;
    std::mutex listeners_mutex;
    InheritedListeners listeners;
    ListenerShutdown listener_shutdown;
    std::optional<ControlThread> control_thread;
};

Worker::Worker(WorkerOptions options)
    : impl_(std::make_unique<Impl>(take_environment(), with_environment(std::move(options)))),
      draining_(&impl_->stage_machine->draining()) {}

// In a forked child there is no control thread to join, and mutexes may be locked for ever: nothing can be destroyed.
Worker::~Worker() {
    if (impl_->stage_machine->is_forked_child()) std::ignore = impl_.release();
}

Listener Worker::listen(std::string_view name, std::string_view address) {
    impl_->stage_machine_for("listen");
    const std::lock_guard lock(impl_->listeners_mutex);
    if (auto inherited = impl_->listeners.take_for(name, address)) return adopt(*std::move(inherited), name);
    if (impl_->stage_machine->pipe().exists() || impl_->listeners.exist()) {
        const std::string both = std::string(name) + "=" + std::string(address);
        throw std::logic_error("cannot find the listener " + both + " among the inherited ones: " +
                               impl_->listeners.list() + "; start the worker with --listen " + both);
    }
    UniqueFd fd = bind_listener(parse_address(address));
    impl_->listener_shutdown.add(fd.get(), Origin::bound_here);
    impl_->process.wake();  // a drain may have begun
    const std::string bound = to_string(address_of(fd.get()));
    return {fd.release(), std::string(name), bound, Origin::bound_here};
}

Listener Worker::listener(std::string_view name_or_address) {
    impl_->stage_machine_for("take a listener");
    const std::lock_guard lock(impl_->listeners_mutex);
    if (auto inherited = impl_->listeners.take(name_or_address)) return adopt(*std::move(inherited), "");
    throw std::logic_error("cannot find the listener " + std::string(name_or_address) +
                           " among the inherited ones: " + impl_->listeners.list() +
                           "; use listen(), which binds the address if there is no supervisor");
}

Listener Worker::listener() {
    impl_->stage_machine_for("take the listener");
    const std::lock_guard lock(impl_->listeners_mutex);
    if (auto inherited = impl_->listeners.take_only()) return adopt(*std::move(inherited), "");
    throw std::logic_error("cannot return the only listener: these were inherited: " + impl_->listeners.list() +
                           "; pass a name or an address");
}

Listener Worker::adopt(InheritedListener inherited, std::string_view name) {
    return {inherited.fd.release(), name.empty() ? inherited.name : std::string(name), to_string(inherited.address),
            Origin::inherited};
}

void Worker::accepts(Callback stop, Callback start) {
    impl_->stage_machine_for("add how to accept").add_accepting(std::move(stop), std::move(start));
}

void Worker::on_lame_duck(Callback callback) {
    impl_->stage_machine_for("add a callback").add_callback(Stage::lame_duck, std::move(callback));
}

void Worker::on_pause(Callback callback) {
    impl_->stage_machine_for("add a callback").add_callback(Stage::pause, std::move(callback));
}

void Worker::on_drain(Callback callback) {
    impl_->stage_machine_for("add a callback").add_callback(Stage::drain, std::move(callback));
}

void Worker::on_run(Callback callback) {
    impl_->stage_machine_for("add a callback").add_callback(Stage::run, std::move(callback));
}

void Worker::on_cancel(Callback callback) {
    impl_->stage_machine_for("add a callback").add_callback(Stage::cancel, std::move(callback));
}

void Worker::on_released(Callback callback) {
    impl_->stage_machine_for("add a callback").add_released_callback(std::move(callback));
}

Task Worker::start_task(std::string name, std::function<void(std::stop_token)> task, TaskOptions options) {
    refuse_empty(task, "start the task", name);
    const auto number = impl_->stage_machine_for("start a task").start_task(std::move(name), std::move(task), options);
    return Task(User(User::Kind::task, number));
}

Resource Worker::resource(std::string name, std::function<void()> close) {
    refuse_empty(close, "add the resource", name);
    StageMachine& stage_machine = impl_->stage_machine_for("add a resource");
    const auto id = stage_machine.add_resource(std::move(name), std::move(close), ResourceGraph::Order::free);
    return Resource(impl_->stage_machine, id);
}

Resource Worker::close_last(std::string name, std::function<void()> close) {
    refuse_empty(close, "add the resource", name);
    StageMachine& stage_machine = impl_->stage_machine_for("add a resource");
    const auto id = stage_machine.add_resource(std::move(name), std::move(close), ResourceGraph::Order::last);
    return Resource(impl_->stage_machine, id);
}

void* Worker::begin_slot(std::string_view name) {
    RequestRegistry::Slot* const slot = impl_->stage_machine->request_registry().begin(name);
    if (slot == nullptr && !impl_->stage_machine->is_forked_child()) StageMachine::refuse("begin " + std::string(name));
    return slot;
}

Session Worker::begin_session(std::string_view name, std::optional<std::chrono::milliseconds> leave_within) {
    return Session(impl_->stage_machine->begin_session(name, leave_within));
}

Work Worker::hold_work(std::string_view name, std::function<void()> hand_back) {
    refuse_empty(hand_back, "hold the item of work", name);
    return Work(impl_->stage_machine->hold_work(name, std::move(hand_back)));
}

void Worker::ready() {
    StageMachine& stage_machine = impl_->stage_machine_for("call ready()");
    impl_->control_thread->join_health();
    stage_machine.ready();
}

void Worker::stop() {
    impl_->stage_machine_for("stop");
    impl_->process.request_stop();
}

int Worker::wait() {
    StageMachine& stage_machine = impl_->stage_machine_for("wait");
    if (impl_->options.drive == WorkerOptions::Drive::helper_thread) {
        const int status = stage_machine.wait();
        impl_->process.restore_signals();
        return status;
    }
    stage_machine.open();
    for (;;) {
        dispatch();
        if (const auto status = result()) return *status;
        pollfd readable{.fd = fd(), .events = POLLIN, .revents = 0};
        ::poll(&readable, 1, -1);
    }
}

int Worker::fd() const {
    impl_->expect_dispatch("return its descriptor");
    return impl_->control_thread->fd();
}

void Worker::dispatch() {
    impl_->expect_dispatch("dispatch()");
    impl_->control_thread->dispatch();
}

std::optional<int> Worker::result() const {
    const auto status = impl_->stage_machine_for("return the result").result();
    if (status) impl_->process.restore_signals();
    return status;
}

std::optional<Worker::Clock::time_point> Worker::deadline() const {
    return impl_->stage_machine_for("return the deadline").deadline();
}

DrainReport Worker::report() const { return impl_->stage_machine_for("return a report").report(); }

std::chrono::milliseconds Worker::keep_alive_min() const { return impl_->options.keep_alive_min; }

bool Worker::is_supervised() const { return impl_->control_thread->is_supervised(); }

}  // namespace holdfast
