// Acceptors in a program that uses SIGURG itself.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <holdfast/acceptor.hpp>
#include <optional>
#include <utility>

#include "call_recorder.hpp"
#include "client.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

std::atomic<int> first_calls = 0;
std::atomic<int> second_calls = 0;
std::atomic<int> last_code = 0;
struct sigaction replaced_by_second {};

void first(int) { ++first_calls; }

void first_with_info(int, siginfo_t* info, void*) {
    ++first_calls;
    last_code = info->si_code;
}

void second(int) { ++second_calls; }

// Calls the handler that it has replaced, as some libraries do.
void second_and_replaced(int number, siginfo_t* info, void* context) {
    ++second_calls;
    if ((replaced_by_second.sa_flags & SA_SIGINFO) != 0) {
        replaced_by_second.sa_sigaction(number, info, context);
    } else if (replaced_by_second.sa_handler != SIG_DFL && replaced_by_second.sa_handler != SIG_IGN) {
        replaced_by_second.sa_handler(number);
    }
}

struct sigaction action_of(void (*handler)(int), int flags = 0) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    return action;
}

struct sigaction action_of(void (*handler)(int, siginfo_t*, void*)) {
    struct sigaction action {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    return action;
}

struct sigaction installed() {
    struct sigaction action {};
    ::sigaction(SIGURG, nullptr, &action);
    return action;
}

struct ProgramWithSigurg : ::testing::Test {
    ProgramWithSigurg() { first_calls = second_calls = last_code = 0; }
    ~ProgramWithSigurg() override {
        acceptor.reset();
        ::signal(SIGURG, SIG_DFL);
    }

    static void install(const struct sigaction& action) { ::sigaction(SIGURG, &action, nullptr); }

    void accept() {
        acceptor.emplace(worker, std::move(listener), [this](int fd, const Session&) {
            ::close(fd);
            block_in_accept();
        });
        worker.ready();
        waiter.emplace(worker);
    }

    void pause() {
        supervisor.send_stage(Stage::pause);
        supervisor.wait_for(has_stopped_accepting);
    }

    void run() {
        supervisor.send_stage(Stage::run);
        supervisor.wait_for(accepts);
    }

    // As if a sibling had cleared O_NONBLOCK and taken the connection that poll(2) reported.
    void block_in_accept() {
        ::fcntl(endpoint.fd, F_SETFL, ::fcntl(endpoint.fd, F_GETFL) & ~O_NONBLOCK);
        ++blocked;
        EXPECT_EQ(::accept(endpoint.fd, nullptr, nullptr), -1);
    }

    void pause_while_accept_blocks() {
        for (int i = 0; i < 20; ++i) {
            const int before = blocked;
            const Client client(endpoint);
            ASSERT_TRUE(eventually([&] { return blocked > before; }));
            pause();
            run();
        }
    }

    void end() {
        supervisor.send_stage(Stage::drain);
        EXPECT_EQ(waiter->status(), 0);
        acceptor.reset();
    }

    std::atomic<int> blocked = 0;
    FakeSupervisor supervisor;
    Worker worker;
    Listener listener = worker.listen("http", "127.0.0.1:0");
    Endpoint endpoint{listener};
    std::optional<Acceptor> acceptor;
    std::optional<Waiter> waiter;
};

TEST_F(ProgramWithSigurg, KeepsItsHandlerAndSeesNoSignalOfTheAcceptor) {
    install(action_of(first, SA_RESTART));
    accept();
    ::raise(SIGURG);
    EXPECT_EQ(first_calls, 1);
    pause_while_accept_blocks();
    EXPECT_EQ(first_calls, 1);
    end();
    EXPECT_EQ(installed().sa_handler, first);
    EXPECT_EQ(installed().sa_flags & SA_RESTART, SA_RESTART);
}

TEST_F(ProgramWithSigurg, KeepsAHandlerThatTakesInformation) {
    install(action_of(first_with_info));
    accept();
    sigqueue(::getpid(), SIGURG, {});
    EXPECT_TRUE(eventually([] { return first_calls == 1; }));
    EXPECT_EQ(last_code, SI_QUEUE);
    end();
    EXPECT_EQ(installed().sa_sigaction, first_with_info);
}

TEST_F(ProgramWithSigurg, MayInstallItsHandlerLater) {
    accept();
    install(action_of(first, SA_RESTART));
    pause_while_accept_blocks();
    EXPECT_EQ(first_calls, 0);
    ::raise(SIGURG);
    EXPECT_EQ(first_calls, 1);
    end();
    EXPECT_EQ(installed().sa_handler, first);
}

TEST_F(ProgramWithSigurg, MayChainItsHandlers) {
    install(action_of(first));
    accept();
    const struct sigaction later = action_of(second_and_replaced);
    ::sigaction(SIGURG, &later, &replaced_by_second);
    pause();
    run();
    ::raise(SIGURG);
    EXPECT_EQ(second_calls, 1);
    EXPECT_EQ(first_calls, 1);
    end();
    ::raise(SIGURG);
    EXPECT_EQ(second_calls, 2);
    EXPECT_EQ(first_calls, 2);
}

TEST_F(ProgramWithSigurg, KeepsAHandlerThatReplacesTheOneOfTheAcceptor) {
    install(action_of(first));
    accept();
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter->status(), 0);
    acceptor.reset();
    install(action_of(second));
    ::raise(SIGURG);
    EXPECT_EQ(second_calls, 1);
    EXPECT_EQ(first_calls, 0);
}

// Of all threads only the accepting one has the signal unblocked, so it gets the program's signals.
TEST_F(ProgramWithSigurg, GetsTheSignalsThatArriveAtTheAcceptingThread) {
    install(action_of(first));
    sigset_t set;
    sigset_t before;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGURG);
    ::pthread_sigmask(SIG_BLOCK, &set, &before);
    accept();
    ::kill(::getpid(), SIGURG);
    EXPECT_TRUE(eventually([] { return first_calls == 1; }));
    pause_while_accept_blocks();
    EXPECT_EQ(first_calls, 1);
    end();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(ProgramWithSigurg, MayIgnoreIt) {
    ::signal(SIGURG, SIG_IGN);
    accept();
    ::signal(SIGURG, SIG_IGN);
    pause_while_accept_blocks();
    end();
    EXPECT_EQ(installed().sa_handler, SIG_IGN);
}

}  // namespace
}  // namespace holdfast::testing
