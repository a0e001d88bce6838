#include "launch_support.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "os/reaper.hpp"

namespace holdfast::os {

std::string launch_probe() { return HOLDFAST_LAUNCH_PROBE; }

LaunchOptions command(std::vector<std::string> words) {
    LaunchOptions options;
    options.command = std::move(words);
    return options;
}

LaunchOptions shell(const std::string& script) { return command({"/bin/sh", "-c", script}); }

std::vector<std::string> test_environment() { return {"PATH=/usr/bin:/bin", "LANG=C"}; }

LaunchSpec resolved(const LaunchOptions& options) {
    auto result = resolve(options, test_environment());
    if (const auto* failure = std::get_if<LaunchFailure>(&result)) {
        ADD_FAILURE() << describe(*failure);
        return {};
    }
    return std::get<LaunchSpec>(std::move(result));
}

std::string failure_text(const LaunchOptions& options) {
    auto spec = resolve(options, test_environment());
    if (const auto* failure = std::get_if<LaunchFailure>(&spec)) return describe(*failure);
    Launcher launcher;
    auto outcome = launcher.launch(std::get<LaunchSpec>(spec), {});
    if (const auto* failure = std::get_if<LaunchFailure>(&outcome)) return describe(*failure);
    wait_and_reap(std::get<Leader>(outcome));
    return "";
}

PipeEnds make_pipe() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

std::string read_all(const UniqueFd& pipe) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
        if (got <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::string read_line(const UniqueFd& pipe) {
    std::string text;
    for (char next = 0; ::read(pipe.get(), &next, 1) == 1 && next != '\n';) text.push_back(next);
    return text;
}

Started start(Launcher& launcher, const LaunchSpec& spec, LaunchPlan plan) {
    PipeEnds pipe = make_pipe();
    plan.output_fd = pipe.write.get();
    auto outcome = launcher.launch(spec, plan);
    if (const auto* failure = std::get_if<LaunchFailure>(&outcome)) {
        ADD_FAILURE() << describe(*failure);
        return {};
    }
    return {std::get<Leader>(std::move(outcome)), std::move(pipe.read)};
}

Started start(const LaunchOptions& options, LaunchPlan plan) {
    Launcher launcher;
    return start(launcher, resolved(options), std::move(plan));
}

void wait_for_end(const Process& process) {
    pollfd end{process.pidfd(), POLLIN, 0};
    while (::poll(&end, 1, -1) < 0) {
    }
}

void reap_everything() {
    siginfo_t info = {};
    while (::waitid(P_ALL, 0, &info, WEXITED) == 0 || errno == EINTR) {
    }
}

ExitStatus wait_and_reap(Leader& leader) {
    if (!leader) return ExitedWith{-1};
    wait_for_end(leader.process());
    Reaper reaper;
    const auto status = reaper.reap(leader);
    if (!status) {
        ADD_FAILURE() << status.error().text;
        return ExitedWith{-1};
    }
    return *status;
}

std::string output_of(const LaunchOptions& options, LaunchPlan plan) {
    Started worker = start(options, std::move(plan));
    std::string output = read_all(worker.output);
    EXPECT_EQ(wait_and_reap(worker.leader), ExitStatus(ExitedWith{0}));
    return output;
}

std::vector<std::string> lines_of(const std::string& output, const std::string& word) {
    std::vector<std::string> lines;
    std::istringstream stream(output);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(word + " ")) lines.push_back(line.substr(word.size() + 1));
    }
    return lines;
}

std::string status_field(const std::string& output, const std::string& key) {
    for (const std::string& line : lines_of(output, "status")) {
        if (!line.starts_with(key + ":")) continue;
        const auto begin = line.find_first_not_of(" \t", key.size() + 1);
        return begin == std::string::npos ? "" : line.substr(begin);
    }
    return "no " + key;
}

TemporaryDirectory::TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-os-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "cannot create a temporary directory";
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& content, unsigned mode) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
}

}  // namespace holdfast::os
