// A worker that misbehaves in many ways, for tests: see --help.

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "faults.hpp"
#include "options.hpp"
#include "supervisor_channel.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds clearing_interval{1};
constexpr std::chrono::milliseconds report_interval{1000};

class Stubborn {
  public:
    explicit Stubborn(const Options& options)
        : options_(options),
          channel_(options.speaks_by_notify_socket ? SupervisorChannel::Transport::notify_socket
                                                   : SupervisorChannel::Transport::control_pipe) {
        if (options_.says_hello) send("HELLO=1\nSDK=stubborn/1\nX_HOLDFAST_STAGES=lame-duck,pause,run,drain,cancel");
        at(options_.ready_after, [this] { send("READY=1"); });
        at(options_.exit_after, [this] { ::_exit(options_.status); });
        at(options_.crash_after, [] { ::raise(SIGSEGV); });
        at(options_.freeze_after, [] { ::raise(SIGSTOP); });
    }

    void run() {
        inject_faults(options_, channel_);
        if (options_.clears_nonblock) every(clearing_interval, [] { clear_nonblock(); });
        for (;;) {
            run_timers();  // first: a flood would leave no room for READY=1
            const short room = options_.floods ? POLLOUT : 0;
            const short command = options_.reads_nothing ? 0 : POLLIN;
            pollfd control{.fd = channel_.fd(), .events = static_cast<short>(room | command), .revents = 0};
            ::poll(&control, control.events != 0 ? 1 : 0, timeout_ms());
            if ((control.revents & POLLOUT) != 0) flood(channel_);
            if ((control.revents & POLLIN) != 0) handle_command(channel_.receive());
        }
    }

  private:
    struct Timer {
        Clock::time_point due;
        std::chrono::milliseconds interval;  // 0: once
        std::function<void()> act;
    };

    void at(Options::Delay delay, std::function<void()> act) {
        if (delay) timers_.push_back({Clock::now() + *delay, {}, std::move(act)});
    }

    void every(std::chrono::milliseconds interval, std::function<void()> act) {
        timers_.push_back({Clock::now(), interval, std::move(act)});
    }

    int timeout_ms() const {
        if (timers_.empty()) return -1;
        const auto next = std::ranges::min_element(timers_, {}, &Timer::due)->due - Clock::now();
        return static_cast<int>(std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(next).count(), 0));
    }

    void run_timers() {
        for (std::size_t i = 0; i < timers_.size();) {
            if (timers_[i].due > Clock::now()) {
                ++i;
                continue;
            }
            const Timer timer = timers_[i];
            timers_.erase(timers_.begin() + static_cast<std::ptrdiff_t>(i));
            timer.act();
            if (timer.interval.count() > 0) every_again(timer);
        }
    }

    void every_again(Timer timer) {
        timer.due = Clock::now() + timer.interval;
        timers_.push_back(std::move(timer));
    }

    void handle_command(const std::string& command) {
        if (command.empty()) return;
        if (options_.is_chatty) std::fprintf(stderr, "stubborn: told %s\n", command.c_str());
        if (!command.starts_with("STAGE=drain") && !command.starts_with("STAGE=cancel")) return;
        if (options_.exits_on_drain) {
            send("X_HOLDFAST_RELEASING=1\nX_HOLDFAST_DRAINED=1");
            ::_exit(options_.status);
        }
        if (!options_.holds.empty() && !std::exchange(is_reporting_, true)) {
            every(report_interval, [this] { report(); });
        }
    }

    void report() {
        std::string message = "X_HOLDFAST_IN_FLIGHT=" + std::to_string(options_.holds.size());
        const auto age = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin_).count();
        for (std::string entry : options_.holds) {
            std::replace(entry.begin(), entry.end(), ':', '\x1f');
            message += "\nX_HOLDFAST_WAITING=" + entry + '\x1f' + std::to_string(age);
        }
        send(message);
    }

    void send(const std::string& message) {
        if (options_.is_chatty) std::fprintf(stderr, "stubborn: says %s\n", message.c_str());
        channel_.send(message);
    }

    const Options& options_;
    SupervisorChannel channel_;
    const Clock::time_point begin_ = Clock::now();
    std::vector<Timer> timers_;
    bool is_reporting_ = false;
};

void ignore_signals(const Options& options) {
    for (int number : {SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGABRT}) ::signal(number, SIG_IGN);
    // An ignored signal stays ignored in children: grandchildren ignore it as well.
    if (!options.exits_on_drain) ::signal(SIGTERM, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    const Parsed parsed = parse(argc, argv, options);
    if (parsed != Parsed::run) return parsed == Parsed::help_shown ? 0 : 2;
    ignore_signals(options);
    Stubborn(options).run();
}
