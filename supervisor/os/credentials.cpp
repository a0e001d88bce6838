#include "os/credentials.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "os/launch_spec.hpp"

namespace holdfast::os {
namespace {

std::optional<std::uint32_t> as_number(const std::string& text) {
    std::uint32_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    // The kernel reads the largest number as "leave unchanged".
    if (problem != std::errc{} || end != text.data() + text.size() || number == UINT32_MAX) return std::nullopt;
    return number;
}

// Calls a function of the getpwnam_r(3) family with a growing buffer. Returns the errno; `found` stays null without an
// entry.
template <class Entry, class Lookup>
int look_up(Entry& entry, Entry*& found, std::vector<char>& buffer, Lookup lookup) {
    constexpr std::size_t largest = 1 << 20;
    for (buffer.resize(1024);; buffer.resize(buffer.size() * 2)) {
        const int problem = lookup(&entry, buffer.data(), buffer.size(), &found);
        if (problem != ERANGE || buffer.size() >= largest) return problem;
    }
}

// Several errnos mean "not found", see getpwnam(3).
bool means_missing(int problem) { return problem == 0 || problem == ENOENT || problem == ESRCH || problem == EBADF; }

LaunchFailure not_found(const std::string& kind, const std::string& name, int problem) {
    const std::string stage = "find the " + kind + " " + name;
    if (means_missing(problem)) return {stage + ": there is no such " + kind, 0};
    return {stage, problem};
}

std::variant<Account, LaunchFailure> find_user(const std::string& user) {
    const auto number = as_number(user);
    passwd entry = {};
    passwd* found = nullptr;
    std::vector<char> buffer;
    const int problem = look_up(entry, found, buffer, [&](passwd* into, char* text, std::size_t size, passwd** result) {
        return number ? ::getpwuid_r(*number, into, text, size, result)
                      : ::getpwnam_r(user.c_str(), into, text, size, result);
    });
    if (found != nullptr) {
        return Account{{entry.pw_uid, entry.pw_gid, {}}, entry.pw_name, entry.pw_dir, entry.pw_shell};
    }
    if (!number || !means_missing(problem)) return not_found("user", user, problem);
    return Account{{*number, static_cast<gid_t>(-1), {}}, "", "", ""};
}

std::variant<gid_t, LaunchFailure> find_group(const std::string& group) {
    if (const auto number = as_number(group)) return gid_t{*number};
    ::group entry = {};
    ::group* found = nullptr;
    std::vector<char> buffer;
    const int problem =
        look_up(entry, found, buffer, [&](::group* into, char* text, std::size_t size, ::group** result) {
            return ::getgrnam_r(group.c_str(), into, text, size, result);
        });
    if (found == nullptr) return not_found("group", group, problem);
    return entry.gr_gid;
}

std::vector<gid_t> groups_of(const std::string& name, gid_t gid) {
    if (name.empty()) return {gid};
    std::vector<gid_t> groups(16);
    for (;;) {
        int count = static_cast<int>(groups.size());
        const int result = ::getgrouplist(name.c_str(), gid, groups.data(), &count);
        const bool fits = result >= 0;
        groups.resize(static_cast<std::size_t>(std::max(count, 1)));
        if (fits) return groups;
    }
}

}  // namespace

std::variant<Account, LaunchFailure> find_account(const std::string& user, const std::string& group) {
    Account account;
    account.credentials.uid = ::geteuid();
    if (!user.empty()) {
        auto found = find_user(user);
        if (const auto* failure = std::get_if<LaunchFailure>(&found)) return *failure;
        account = std::get<Account>(std::move(found));
    }
    if (!group.empty()) {
        auto found = find_group(group);
        if (const auto* failure = std::get_if<LaunchFailure>(&found)) return *failure;
        account.credentials.gid = std::get<gid_t>(found);
    }
    Credentials& credentials = account.credentials;
    if (credentials.gid == static_cast<gid_t>(-1)) {
        return LaunchFailure{
            "find the group of user " + user + ": the user database has no entry for this uid; specify --group as well",
            0};
    }
    credentials.groups = groups_of(account.name, credentials.gid);
    return account;
}

bool are_own(const Credentials& credentials) {
    uid_t real_uid = 0, uid = 0, saved_uid = 0;
    gid_t real_gid = 0, gid = 0, saved_gid = 0;
    if (::getresuid(&real_uid, &uid, &saved_uid) != 0 || ::getresgid(&real_gid, &gid, &saved_gid) != 0) return false;
    if (real_uid != credentials.uid || uid != credentials.uid || saved_uid != credentials.uid) return false;
    if (real_gid != credentials.gid || gid != credentials.gid || saved_gid != credentials.gid) return false;
    const int count = ::getgroups(0, nullptr);
    std::vector<gid_t> own(static_cast<std::size_t>(std::max(count, 0)));
    if (::getgroups(count, own.data()) != count) return false;
    std::vector<gid_t> wanted = credentials.groups;
    std::sort(own.begin(), own.end());
    std::sort(wanted.begin(), wanted.end());
    return own == wanted;
}

}  // namespace holdfast::os
