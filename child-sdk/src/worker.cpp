#include <holdfast/worker.hpp>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "address.hpp"
#include "conductor.hpp"
#include "environment.hpp"
#include "helper.hpp"
#include "inheritance.hpp"
#include "process.hpp"
#include "version.hpp"

namespace holdfast {

namespace {

Report hello() {
    Report report;
    report.hello = true;
    report.sdk = "cpp/" + std::string(sdk_version);
    report.stages.emplace();
    for (Stage stage : {Stage::lame_duck, Stage::pause, Stage::run, Stage::drain, Stage::cancel}) {
        report.stages->add(stage);
    }
    return report;
}

Patience patience_from_environment() {
    const Patience usual;
    return {.grace = duration_from("HOLDFAST_GRACE_PERIOD", usual.grace),
            .cancel = duration_from("HOLDFAST_CANCEL_PERIOD", usual.cancel)};
}

}  // namespace

class Worker::Impl {
  public:
    explicit Impl(Handed handed)
        : process(handed.control.get()),
          conductor(std::make_shared<Conductor>(std::move(handed.control))),
          inheritance(std::move(handed.listeners)) {
        conductor->pipe().say(hello());
        helper.emplace(*conductor, process, patience_from_environment());
    }

    ~Impl() {
        helper.reset();
        conductor->shut_down();
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    // The Conductor of a process that is the worker.
    Conductor& here(std::string_view what) const {
        if (!conductor->is_forked_child()) return *conductor;
        throw std::logic_error("cannot " + std::string(what) +
                               ": this process is a forked child of the worker, not the worker; do it in the parent");
    }

    Process process;
    std::shared_ptr<Conductor> conductor;
    std::mutex inheritance_mutex;
    Inheritance inheritance;
    std::optional<Helper> helper;
};

Worker::Worker() : impl_(std::make_unique<Impl>(take_environment())), draining_(&impl_->conductor->draining()) {}

// In a forked child there is no helper thread to join, and mutexes may be locked for ever: nothing can be destroyed.
Worker::~Worker() {
    if (impl_->conductor->is_forked_child()) std::ignore = impl_.release();
}

Listener Worker::listen(std::string_view name, std::string_view address) {
    impl_->here("listen");
    const Address wanted = parse_address(address);
    const std::lock_guard lock(impl_->inheritance_mutex);
    Inheritance& inheritance = impl_->inheritance;
    auto inherited = inheritance.take(name, address);
    if (!inherited) inherited = inheritance.take_only();
    if (inherited) return adopt(*std::move(inherited), name);
    const std::string both = std::string(name) + "=" + std::string(address);
    if (!inheritance.is_empty()) {
        throw std::logic_error("cannot find the listener " + both + " among those handed over: " + inheritance.list() +
                               "; start the worker with --listen " + both + ", or ask for one of them");
    }
    UniqueFd fd = bind_listener(wanted);
    const std::string bound = to_string(address_of(fd.get()));
    return {fd.release(), std::string(name), bound, Origin::bound_here};
}

Listener Worker::listener(std::string_view name_or_address) {
    impl_->here("take a listener");
    const std::lock_guard lock(impl_->inheritance_mutex);
    Inheritance& inheritance = impl_->inheritance;
    auto inherited = inheritance.take(name_or_address, "");
    try {
        if (!inherited) inherited = inheritance.take("", name_or_address);
    } catch (const std::invalid_argument&) {
        // It is a name, then, and nobody has it.
    }
    if (inherited) return adopt(*std::move(inherited), "");
    throw std::logic_error("cannot find the listener " + std::string(name_or_address) + " among those handed over: " +
                           inheritance.list() + "; use listen(), which binds one where there is no supervisor");
}

Listener Worker::listener() {
    impl_->here("take the listener");
    const std::lock_guard lock(impl_->inheritance_mutex);
    auto inherited = impl_->inheritance.take_only();
    if (inherited) return adopt(*std::move(inherited), "");
    throw std::logic_error("cannot tell which listener is meant by \"the only one\": handed over and not taken are: " +
                           impl_->inheritance.list() + "; name one");
}

Listener Worker::adopt(Inherited inherited, std::string_view name) {
    return {inherited.fd.release(), name.empty() ? inherited.name : std::string(name), to_string(inherited.address),
            Origin::inherited};
}

void Worker::on_lame_duck(std::function<void()> callback) {
    impl_->here("add a callback").add_callback(Stage::lame_duck, std::move(callback));
}

void Worker::on_pause(std::function<void()> callback) {
    impl_->here("add a callback").add_callback(Stage::pause, std::move(callback));
}

void Worker::on_drain(std::function<void()> callback) {
    impl_->here("add a callback").add_callback(Stage::drain, std::move(callback));
}

void Worker::on_run(std::function<void()> callback) {
    impl_->here("add a callback").add_callback(Stage::run, std::move(callback));
}

void Worker::on_cancel(std::function<void()> callback) {
    impl_->here("add a callback").add_callback(Stage::cancel, std::move(callback));
}

void Worker::start_task(std::string name, std::function<void(std::stop_token)> task) {
    impl_->here("start a task").start_task(std::move(name), std::move(task));
}

void Worker::close_last(std::string name, std::function<void()> close) {
    impl_->here("take charge of a resource").close_last(std::move(name), std::move(close));
}

Request Worker::begin_request(std::string_view name) {
    return Request(impl_->conductor->begin(HeldThings::Kind::request, name));
}

Session Worker::begin_session(std::string_view name) {
    return Session(impl_->conductor->begin(HeldThings::Kind::session, name));
}

void Worker::ready() { impl_->here("say ready").ready(); }

void Worker::stop() {
    impl_->here("stop");
    impl_->process.ask_to_stop();
}

int Worker::wait() { return impl_->here("wait").wait(); }

std::optional<Worker::Clock::time_point> Worker::deadline() const {
    return impl_->here("know the deadline").deadline();
}

bool Worker::is_supervised() const { return impl_->helper->is_supervised(); }

}  // namespace holdfast
