// How the cause of a worker's death is determined.

#include "runtime/worker_reaper.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "os/launcher.hpp"
#include "os/process_table.hpp"

namespace holdfast::runtime {
namespace {

struct WorkerReaperTest : ::testing::Test {
    ~WorkerReaperTest() override { std::filesystem::remove_all(folder); }

    static std::string made_folder() {
        std::string name = "/tmp/reaping-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        return name;
    }

    // The number of OOM kills that the kernel reports.
    void count_kills(int kills) const { std::ofstream(folder + "/vmstat") << "oom_kill " << kills << "\n"; }

    os::OomCount counter() const {
        count_kills(0);
        return os::OomCount({folder + "/none", folder, folder + "/vmstat"});
    }

    // A worker that stops itself and runs the script after SIGCONT.
    Worker& launch(const std::string& script, std::uint64_t slot = 0) {
        auto made = std::make_unique<Worker>();
        made->id = WorkerId{++last_};
        made->slot = SlotId{slot};
        made->name = "1." + std::to_string(slot);
        Worker& worker = workers.add(std::move(made));
        LaunchOptions options;
        options.command = {"/bin/sh", "-c", "kill -STOP $$; " + script};
        auto spec = std::get<os::LaunchSpec>(os::resolve(options, {"PATH=/usr/bin:/bin"}));
        workers.launched(worker, std::get<os::Leader>(launcher.launch(spec, {})));
        reaper.launched(worker);
        return worker;
    }

    // Lets the worker run to its end and returns the event that the core receives.
    core::Exited end(Worker& worker) {
        const int pidfd = worker.leader.pidfd();
        EXPECT_TRUE(os::send_signal(worker.leader.process(), SIGCONT));
        pollfd ended{pidfd, POLLIN, 0};
        // The worker may not have stopped itself yet, so SIGCONT is repeated until it has ended.
        while (::poll(&ended, 1, 20) == 0) static_cast<void>(os::send_signal(worker.leader.process(), SIGCONT));
        reaper.collect();
        io.restart();
        io.run();
        return exited;
    }

    std::string folder = made_folder();
    boost::asio::io_context io;
    core::Exited exited;
    WorkerTable workers;
    EventQueue event_queue{io, [this](const core::Event& event) {
                               if (const auto* told = std::get_if<core::Exited>(&event)) exited = *told;
                           }};
    Output output{STDERR_FILENO};
    Log log{output, core::LogFormat::text, "web", "error"};
    LaunchThread launches{{}, {}, [](LaunchResult) {}};
    WorkerChannels channels{io, workers, event_queue, log, output, [](Worker&) {}};
    WorkerReaper reaper{io, workers, event_queue, channels, launches, log, counter()};
    os::Launcher launcher;
    std::uint64_t last_ = 0;
};

constexpr auto out_of_memory = core::KilledBy::out_of_memory;
constexpr auto not_known = core::KilledBy::not_known;

TEST_F(WorkerReaperTest, AKillWithAnOomKillIsOutOfMemory) {
    Worker& worker = launch("kill -KILL $$");
    count_kills(1);
    EXPECT_EQ(end(worker).killed_by, out_of_memory);
}

TEST_F(WorkerReaperTest, AKillWithoutAnOomKillIsNotOutOfMemory) {
    count_kills(4);  // before the launch
    EXPECT_EQ(end(launch("kill -KILL $$")).killed_by, not_known);
}

TEST_F(WorkerReaperTest, OneOomKillIsAttributedToOneWorker) {
    Worker& first = launch("kill -KILL $$", 0);
    Worker& second = launch("kill -KILL $$", 1);
    count_kills(1);
    EXPECT_EQ(end(first).killed_by, out_of_memory);
    EXPECT_EQ(end(second).killed_by, not_known);
}

TEST_F(WorkerReaperTest, TwoOomKillsAreAttributedToTwoWorkers) {
    Worker& first = launch("kill -KILL $$", 0);
    Worker& second = launch("kill -KILL $$", 1);
    count_kills(2);
    EXPECT_EQ(end(first).killed_by, out_of_memory);
    EXPECT_EQ(end(second).killed_by, out_of_memory);
}

TEST_F(WorkerReaperTest, AnyOtherExitIsNotOutOfMemory) {
    Worker& exits = launch("exit 3", 0);
    Worker& aborts = launch("kill -ABRT $$", 1);
    count_kills(2);
    EXPECT_EQ(end(exits).killed_by, not_known);
    EXPECT_EQ(end(aborts).killed_by, not_known);
}

TEST_F(WorkerReaperTest, OurOwnKillIsNotOutOfMemory) {
    Worker& worker = launch("kill -KILL $$");
    worker.kill_requested = Worker::KillRequested::yes;
    count_kills(1);
    EXPECT_EQ(end(worker).killed_by, not_known);
}

TEST_F(WorkerReaperTest, ReapsADisownedLeaderWhoseGroupIsAlive) {
    ASSERT_TRUE(os::become_subreaper()) << "the test needs to adopt orphans";
    Worker& worker = launch("sleep 1000 & exit 0");
    const pid_t leader = worker.leader.pid();
    end(worker);
    ASSERT_TRUE(os::process_status(leader).value()) << "it must be kept while its group is alive";
    const auto group = reaper.scan(worker).group;
    ASSERT_EQ(group.size(), 1U);
    reaper.disown(worker);
    workers.erase(worker.id);
    EXPECT_FALSE(os::process_status(leader).value());
    reaper.collect();
    EXPECT_EQ(::kill(group.front().pid, SIGKILL), 0);
    EXPECT_EQ(::waitpid(group.front().pid, nullptr, 0), group.front().pid);
}

TEST_F(WorkerReaperTest, StoresTheLastOutputOfEachSlot) {
    Worker& first = launch("exit 3", 0);
    first.last_lines.add("old\n");
    end(first);
    Worker& second = launch("exit 3", 0);
    second.last_lines.add("new\n");
    end(second);
    ASSERT_EQ(reaper.last_outputs().size(), 1U);
    const auto& kept = reaper.last_outputs().at(SlotId{0});
    EXPECT_EQ(kept.lines, std::vector<std::string>{"new"});
    EXPECT_EQ(kept.of, core::LastOutput::Of::ended);
}

}  // namespace
}  // namespace holdfast::runtime
