#include "os/worker_records.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "base/runtime_paths.hpp"
#include "os/errno_error.hpp"
#include "os/process_table.hpp"

namespace holdfast::os {
namespace {

struct Record {
    std::uint64_t start_time = 0;
    std::string worker;
};

std::optional<pid_t> as_pid(std::string_view name) {
    pid_t pid = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (problem != std::errc{} || end != name.data() + name.size() || pid <= 0) return std::nullopt;
    return pid;
}

// Not there if it is gone, empty or torn: such a record names no process.
Look<Record> read_record(int folder_fd, const std::string& name) {
    constexpr std::optional<Record> none;
    const UniqueFd file{::openat(folder_fd, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (!file) return errno == ENOENT || errno == ELOOP ? Look<Record>(none) : errno_error("read the record " + name);
    std::array<char, 256> text{};
    const ssize_t size = ::read(file.get(), text.data(), text.size());
    if (size < 0) return errno_error("read the record " + name);
    const std::string_view line(text.data(), static_cast<std::size_t>(size));
    Record record;
    const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), record.start_time);
    const std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
    if (problem != std::errc{} || !rest.starts_with(' ') || !rest.ends_with('\n')) return none;
    record.worker = rest.substr(1, rest.size() - 2);
    return std::optional(std::move(record));
}

Result<std::vector<std::string>> entries_of(int folder_fd) {
    // Opens its own file description, so that the position in the directory is not shared.
    const int fd = ::openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(fd < 0 ? nullptr : ::fdopendir(fd), &::closedir);
    if (!folder) return errno_error("list the records of workers");
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(folder.get())) {
        names.emplace_back(entry->d_name);
        errno = 0;
    }
    if (errno != 0) return errno_error("list the records of workers");
    return names;
}

Look<Orphan> find_orphan(pid_t pid, const Look<Record>& record) {
    if (!record) return record.error();
    const auto status = process_status(pid);
    if (!status) return status.error();
    const bool is_recorded = *record && *status && !is_dead(**status) && (*status)->start_time == (*record)->start_time;
    if (!is_recorded) return std::optional<Orphan>();
    return std::optional(Orphan{pid, (*record)->start_time, (*record)->worker, (*status)->name});
}

}  // namespace

Result<WorkerRecords> WorkerRecords::open(const RuntimeDirectory& directory) {
    const std::string display_path = directory.path() + "/" + std::string(worker_records_folder);
    if (::mkdirat(directory.fd(), worker_records_folder.data(), 0700) != 0 && errno != EEXIST) {
        return errno_error("create " + display_path);
    }
    UniqueFd folder{
        ::openat(directory.fd(), worker_records_folder.data(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!folder) return errno_error("open " + display_path);
    return WorkerRecords(std::move(folder));
}

Result<std::vector<Orphan>> WorkerRecords::living_orphans() const {
    const auto names = entries_of(folder_.get());
    if (!names) return names.error();
    std::vector<Orphan> orphans;
    for (const std::string& name : *names) {
        const auto pid = as_pid(name);
        if (!pid) continue;
        auto orphan = find_orphan(*pid, read_record(folder_.get(), name));
        if (!orphan) return orphan.error();
        if (*orphan) {
            orphans.push_back(std::move(**orphan));
        } else {
            remove(*pid);
        }
    }
    return orphans;
}

Result<void> WorkerRecords::add(pid_t pid, std::string_view worker) const {
    const auto status = process_status(pid);
    if (!status) return status.error();
    if (!*status) return {};
    const std::string name = std::to_string(pid);
    const UniqueFd file{
        ::openat(folder_.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
    const std::string text = std::to_string((*status)->start_time) + " " + std::string(worker) + "\n";
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return errno_error("record worker " + std::string(worker));
    }
    return {};
}

void WorkerRecords::remove(pid_t pid) const { ::unlinkat(folder_.get(), std::to_string(pid).c_str(), 0); }

void WorkerRecords::remove_folder(const RuntimeDirectory& directory) const {
    ::unlinkat(directory.fd(), worker_records_folder.data(), AT_REMOVEDIR);
}

}  // namespace holdfast::os
