#include "proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <thread>

namespace holdfast::test {
namespace {

// Uses read(2), because a stream throws if the process ends between open and read.
std::string read_proc(pid_t pid, const char* name) {
    const std::string path = "/proc/" + std::to_string(pid) + '/' + name;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {};
    std::string text;
    char bytes[4096];
    ssize_t count = 0;
    while ((count = ::read(fd, bytes, sizeof bytes)) > 0) text.append(bytes, static_cast<std::size_t>(count));
    ::close(fd);
    return text;
}

// The fields of /proc/PID/stat after the command, which may itself contain anything: [0] is the state.
std::vector<std::string> stat_fields(pid_t pid) {
    const std::string text = read_proc(pid, "stat");
    const std::size_t end = text.rfind(')');
    if (end == std::string::npos) return {};
    std::istringstream rest(text.substr(end + 1));
    return {std::istream_iterator<std::string>(rest), {}};
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> pids;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (failure == std::errc{} && end == name.data() + name.size()) pids.push_back(pid);
    }
    return pids;
}

}  // namespace

std::vector<pid_t> children_of(pid_t pid) {
    std::vector<pid_t> children;
    for (const pid_t other : all_processes()) {
        const auto fields = stat_fields(other);
        if (fields.size() > 1 && fields[1] == std::to_string(pid)) children.push_back(other);
    }
    return children;
}

std::vector<pid_t> descendants_of(pid_t pid) {
    std::vector<pid_t> found = children_of(pid);
    for (std::size_t i = 0; i < found.size(); ++i)
        for (const pid_t child : children_of(found[i])) found.push_back(child);
    return found;
}

std::map<int, std::string> open_files_of(pid_t pid) {
    std::map<int, std::string> files;
    const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
    DIR* const directory = ::opendir(folder.c_str());
    if (directory == nullptr) return files;
    while (const dirent* const entry = ::readdir(directory)) {
        char target[4096];
        const ssize_t length = ::readlinkat(::dirfd(directory), entry->d_name, target, sizeof target);
        if (length > 0) files[std::atoi(entry->d_name)] = std::string(target, static_cast<std::size_t>(length));
    }
    ::closedir(directory);
    return files;
}

std::vector<std::uint32_t> backlogs_of(pid_t pid) {
    std::vector<std::uint32_t> backlogs;
    const int pid_fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    for (const auto& [number, target] : open_files_of(pid)) {
        const int copy = static_cast<int>(::syscall(SYS_pidfd_getfd, pid_fd, number, 0));
        tcp_info info{};
        socklen_t length = sizeof info;
        const bool is_tcp = ::getsockopt(copy, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
        // For a listening socket this field is the backlog, see ss(8).
        if (is_tcp && info.tcpi_state == TCP_LISTEN) backlogs.push_back(info.tcpi_sacked);
        ::close(copy);
    }
    ::close(pid_fd);
    return backlogs;
}

char state_of(pid_t pid) {
    const auto fields = stat_fields(pid);
    return fields.empty() ? '-' : fields[0][0];
}

void stop_process(pid_t pid) {
    ::kill(pid, SIGSTOP);
    const auto has_stopped = [](const std::filesystem::directory_entry& thread) {
        const auto fields = stat_fields(static_cast<pid_t>(std::stol(thread.path().filename().string())));
        return fields.empty() || fields[0][0] == 'T';
    };
    const std::filesystem::path threads = "/proc/" + std::to_string(pid) + "/task";
    while (std::filesystem::exists(threads) &&
           !std::ranges::all_of(std::filesystem::directory_iterator(threads), has_stopped)) {
        std::this_thread::yield();
    }
}

std::string command_of(pid_t pid) {
    std::string text = read_proc(pid, "cmdline");
    for (char& c : text)
        if (c == '\0') c = ' ';
    return text.empty() ? read_proc(pid, "comm") : text;
}

std::string status_of(pid_t pid) { return read_proc(pid, "status"); }

std::uint64_t voluntary_switches_of(pid_t pid) {
    std::istringstream status(status_of(pid));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("voluntary_ctxt_switches:")) return std::stoull(line.substr(line.find(':') + 1));
    return 0;
}

std::uint64_t cpu_ticks_of(pid_t pid) {
    const auto fields = stat_fields(pid);
    return fields.size() > 12 ? std::stoull(fields[11]) + std::stoull(fields[12]) : 0;
}

}  // namespace holdfast::test
