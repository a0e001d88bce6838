// Workers whose supervisor, a process of its own, ends or gives them up.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <holdfast/acceptor.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

constexpr std::string_view answer = "served\n";

enum class Bound { by_supervisor, by_others };
enum class End { killed, gives_workers_up };

// A process that starts workers which share its listener. Each answers its clients and drains only when end_drains() is
// called. The destructor ends everything.
class SupervisorProcess {
  public:
    SupervisorProcess(int workers, Bound bound, End end) : bound_(bound), end_(end) {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        bind();
        for (Pipe* pipe : {&ready_, &hold_, &command_}) {
            if (::pipe2(pipe->data(), O_CLOEXEC) != 0) std::abort();
        }
        pid_ = ::fork();
        if (pid_ == 0) supervise(workers);
        for (Pipe* pipe : {&hold_, &command_}) ::close((*pipe)[0]);
        ::close(ready_[1]);
        for (int i = 0; i < workers; ++i) {
            pid_t worker = 0;
            EXPECT_EQ(::read(ready_[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
            workers_.push_back(worker);
        }
    }

    ~SupervisorProcess() {
        if (hold_[1] >= 0) end_drains();
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(ready_[0]);
        ::close(command_[1]);
        ::close(listener_);
    }
    SupervisorProcess(const SupervisorProcess&) = delete;
    SupervisorProcess& operator=(const SupervisorProcess&) = delete;

    // Kills it, or makes it close the control pipes and live on.
    void end() {
        if (end_ == End::killed) {
            ::kill(pid_, SIGKILL);
            ::waitpid(std::exchange(pid_, -1), nullptr, 0);  // its workers are children of this process now
        } else {
            EXPECT_EQ(::write(command_[1], "x", 1), 1);
        }
    }

    // Lets the drains of the workers end, and returns their exit statuses.
    std::vector<int> end_drains() {
        ::close(std::exchange(hold_[1], -1));
        std::vector<int> statuses;
        for (const pid_t worker : workers_) {
            int status = -1;
            if (end_ == End::killed) {
                ::waitpid(worker, &status, 0);
            } else {
                status = wait_until_gone(worker);
            }
            statuses.push_back(status);
        }
        return statuses;
    }

    // Returns what a new client reads, or the name of the error.
    std::string ask() const {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        std::string result = strerrorname_np(errno);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0) {
            result = strerrorname_np(errno);
        } else {
            std::array<char, 16> bytes{};
            const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), 0);
            result = size < 0 ? strerrorname_np(errno) : std::string(bytes.data(), static_cast<std::size_t>(size));
        }
        ::close(fd);
        return result;
    }

    bool is_listening() const {
        int listens = 0;
        socklen_t size = sizeof listens;
        return ::getsockopt(listener_, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 1;
    }

  private:
    using Pipe = std::array<int, 2>;

    void bind() {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) != 0) std::abort();
        if (::listen(listener_, SOMAXCONN) != 0) std::abort();
        socklen_t length = sizeof address_;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &length);
    }

    [[noreturn]] void supervise(int workers) {
        std::vector<int> pipes;
        for (int i = 0; i < workers; ++i) {
            Pipe control{};
            if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control.data()) != 0) std::abort();
            if (::fork() == 0) work(control[1], pipes);
            ::close(control[1]);
            pipes.push_back(control[0]);
        }
        for (const int fd : {hold_[1], command_[1], ready_[1]}) ::close(fd);
        char ignored = 0;
        static_cast<void>(::read(command_[0], &ignored, 1));
        for (const int fd : pipes) ::close(fd);
        for (const int fd : pipes) static_cast<void>(fd), ::wait(nullptr);
        std::_Exit(0);
    }

    [[noreturn]] void work(int control, const std::vector<int>& others) {
        for (const int fd : others) ::close(fd);
        for (const int fd : {hold_[1], command_[0], command_[1], ready_[0]}) ::close(fd);
        inherit(control);
        int status = 1;
        {
            Worker worker({.grace_period = std::chrono::hours(1)});
            Request held = worker.begin_request("GET /slow");
            Acceptor acceptor(worker, worker.listen("http", ":0"), [](int fd, const Session&) {
                static_cast<void>(::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL));
                ::close(fd);
            });
            worker.ready();
            std::thread holder([&] {
                char ignored = 0;
                static_cast<void>(::read(hold_[0], &ignored, 1));
                held.end();
            });
            const pid_t pid = ::getpid();
            static_cast<void>(::write(ready_[1], &pid, sizeof pid));
            status = worker.wait();
            holder.join();
        }
        std::_Exit(status);
    }

    // Descriptor 3 may be in use: by then everything else has a higher number.
    void inherit(int& control) {
        for (int* fd : {&control, &hold_[0], &ready_[1], &listener_}) *fd = ::fcntl(*fd, F_DUPFD_CLOEXEC, 100);
        ::dup2(listener_, 3);
        ::close(listener_);
        struct stat status {};
        ::fstat(control, &status);
        ::close_range(4, 99, 0);
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_FDNAMES", "http", 1);
        if (bound_ == Bound::by_supervisor) ::setenv("HOLDFAST_BOUND_FDS", "3", 1);
        ::setenv("HOLDFAST_CONTROL_FD", std::to_string(control).c_str(), 1);
        ::setenv("HOLDFAST_CONTROL_INODE", std::to_string(status.st_ino).c_str(), 1);
    }

    static int wait_until_gone(pid_t pid) {
        return eventually([&] { return ::kill(pid, 0) != 0; }) ? 0 : -1;
    }

    const Bound bound_;
    const End end_;
    int listener_ = -1;
    sockaddr_in address_{};
    Pipe ready_{}, hold_{}, command_{};
    pid_t pid_ = -1;
    std::vector<pid_t> workers_;
};

// Both empty the queue and shut down the socket that they share.
TEST(Orphans, RefuseNewClientsAndResetNone) {
    SupervisorProcess supervisor(2, Bound::by_supervisor, End::killed);
    std::vector<std::string> results(4);
    {
        std::vector<std::jthread> clients;
        for (std::string& result : results) {
            clients.emplace_back([&] {
                while ((result = supervisor.ask()) == answer) continue;
            });
        }
        supervisor.end();
    }
    for (const std::string& result : results) EXPECT_EQ(result, "ECONNREFUSED");
    EXPECT_FALSE(supervisor.is_listening());
    EXPECT_EQ(supervisor.end_drains(), std::vector<int>({0, 0}));
}

TEST(Orphans, LeaveAListenerAloneThatBelongsToOthers) {
    SupervisorProcess supervisor(2, Bound::by_others, End::killed);
    EXPECT_EQ(supervisor.ask(), answer);
    supervisor.end();
    EXPECT_EQ(supervisor.end_drains(), std::vector<int>({0, 0}));
    EXPECT_TRUE(supervisor.is_listening());
}

// It closes the control pipe of a worker that it has given up, and continues to serve with others.
TEST(Orphans, LeaveTheListenerAloneWhileTheSupervisorLives) {
    SupervisorProcess supervisor(1, Bound::by_supervisor, End::gives_workers_up);
    EXPECT_EQ(supervisor.ask(), answer);
    supervisor.end();
    EXPECT_EQ(supervisor.end_drains(), std::vector<int>({0}));
    EXPECT_TRUE(supervisor.is_listening());
}

}  // namespace
}  // namespace holdfast::testing
