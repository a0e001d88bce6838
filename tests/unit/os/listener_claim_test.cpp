// Which processes have a listener open, according to /proc.

#include "os/listener_claim.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "launch_support.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

constexpr std::uint64_t unused_inode = ~std::uint64_t{0};

TEST(ListenerClaim, IsHeldByAProcessThatHasTheSocketOpen) {
    const Listener listener = open_listener("127.0.0.1:0");
    const std::array processes{::getpid()};
    const std::array inodes{unused_inode, socket_inode(listener.fd.get())};
    EXPECT_EQ(find_listener_claim(processes, inodes), ListenerClaim::held);
}

TEST(ListenerClaim, IsMissingIfNoProcessHasTheSocketOpen) {
    Started worker = start(shell("echo ready; kill -STOP $$"));
    ASSERT_EQ(read_line(worker.output), "ready");  // it opens and closes no descriptors any more
    const std::array processes{worker.leader.pid()};
    const Listener listener = open_listener("127.0.0.1:0");
    const std::array inodes{socket_inode(listener.fd.get())};
    EXPECT_EQ(find_listener_claim(processes, inodes), ListenerClaim::missing);
    static_cast<void>(kill_now(worker.leader.process()));
    wait_and_reap(worker.leader);
}

TEST(ListenerClaim, IsHeldByAnyOfSeveralProcesses) {
    const Listener listener = open_listener("127.0.0.1:0");
    LaunchPlan plan;
    plan.inherited_fds = {listener.fd.get()};
    Started with = start(shell("kill -STOP $$"), std::move(plan));
    Started without = start(shell("kill -STOP $$"));
    const std::array processes{without.leader.pid(), with.leader.pid()};
    const std::array inodes{socket_inode(listener.fd.get())};
    EXPECT_EQ(find_listener_claim(processes, inodes), ListenerClaim::held);
    for (Leader* leader : {&with.leader, &without.leader}) {
        static_cast<void>(kill_now(leader->process()));
        wait_and_reap(*leader);
    }
}

TEST(ListenerClaim, IsNotKnownForAProcessThatCannotBeInspected) {
    const TemporaryDirectory proc;  // contains no process
    const std::array processes{::getpid()};
    const std::array inodes{unused_inode};
    EXPECT_EQ(find_listener_claim(processes, inodes, proc.path()), ListenerClaim::not_known);
}

TEST(ListenerClaim, IsNeverMissingIfOneProcessCannotBeInspected) {
    const TemporaryDirectory proc;
    std::filesystem::create_directories(proc.path() + "/71/fd");
    const std::array both{pid_t{71}, pid_t{72}};
    const std::array inodes{std::uint64_t{5}};
    EXPECT_EQ(find_listener_claim(std::span(both).first(1), inodes, proc.path()), ListenerClaim::missing);
    EXPECT_EQ(find_listener_claim(both, inodes, proc.path()), ListenerClaim::not_known);
    std::filesystem::create_symlink("socket:[5]", proc.path() + "/71/fd/3");
    EXPECT_EQ(find_listener_claim(both, inodes, proc.path()), ListenerClaim::held);
}

TEST(ListenerClaim, IsNotKnownIfADescriptorCannotBeRead) {
    const TemporaryDirectory proc;
    std::filesystem::create_directories(proc.path() + "/71/fd");
    proc.write("71/fd/3", "");  // not a symbolic link, so readlink fails
    const std::array processes{pid_t{71}};
    const std::array inodes{std::uint64_t{5}};
    EXPECT_EQ(find_listener_claim(processes, inodes, proc.path()), ListenerClaim::not_known);
}

TEST(ListenerClaim, IsNotKnownBeyondTheLimitOfDescriptors) {
    const TemporaryDirectory proc;
    const std::string folder = proc.path() + "/71/fd/";
    std::filesystem::create_directories(folder);
    for (int fd = 0; fd <= max_descriptors; ++fd) {
        ASSERT_EQ(::symlink("pipe:[1]", (folder + std::to_string(fd)).c_str()), 0);
    }
    const std::array processes{pid_t{71}};
    const std::array inodes{std::uint64_t{5}};
    EXPECT_EQ(find_listener_claim(processes, inodes, proc.path()), ListenerClaim::not_known);
    ::unlink((folder + "0").c_str());
    EXPECT_EQ(find_listener_claim(processes, inodes, proc.path()), ListenerClaim::missing);
}

TEST(ListenerClaim, IsNotKnownWithoutListenersOrProcesses) {
    const std::array processes{::getpid()};
    const std::array inodes{std::uint64_t{5}};
    EXPECT_EQ(find_listener_claim(processes, {}), ListenerClaim::not_known);
    EXPECT_EQ(find_listener_claim({}, inodes), ListenerClaim::not_known);
}

// /proc/PID/fd of such a process is empty, whatever its other threads have open.
TEST(ListenerClaim, IsHeldByAProcessWhoseFirstThreadHasEnded) {
    const TemporaryDirectory proc;
    std::filesystem::create_directories(proc.path() + "/71/fd");
    std::filesystem::create_directories(proc.path() + "/71/task/71/fd");
    std::filesystem::create_directories(proc.path() + "/71/task/72/fd");
    ASSERT_EQ(::symlink("socket:[5]", (proc.path() + "/71/task/72/fd/3").c_str()), 0);
    const std::array processes{pid_t{71}};
    EXPECT_EQ(find_listener_claim(processes, std::array{std::uint64_t{5}}, proc.path()), ListenerClaim::held);
    EXPECT_EQ(find_listener_claim(processes, std::array{std::uint64_t{6}}, proc.path()), ListenerClaim::missing);
}

}  // namespace
}  // namespace holdfast::os
