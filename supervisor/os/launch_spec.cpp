#include "os/launch_spec.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "os/environment.hpp"
#include "os/environment_file.hpp"
#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

// The search path of execvp(3) if PATH is not set.
constexpr std::string_view default_path = "/bin:/usr/bin";

using Problem = std::optional<LaunchFailure>;

Problem add_account(const LaunchOptions& options, LaunchSpec& spec, Environment& environment) {
    if (options.user.empty() && options.group.empty()) return std::nullopt;
    auto found = find_account(options.user, options.group);
    if (auto* failure = std::get_if<LaunchFailure>(&found)) return std::move(*failure);
    Account& account = std::get<Account>(found);
    if (!are_own(account.credentials)) spec.credentials = std::move(account.credentials);
    if (account.name.empty()) return std::nullopt;
    environment.set("HOME", account.home);
    environment.set("USER", account.name);
    environment.set("LOGNAME", account.name);
    environment.set("SHELL", account.shell.empty() ? "/bin/sh" : account.shell);
    return std::nullopt;
}

Problem open_directory(const std::string& name, LaunchSpec& spec) {
    if (name.empty()) {
        // Only needed to find the program again. A failure does not matter, because the worker inherits the current
        // directory.
        spec.directory.reset(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
        return std::nullopt;
    }
    spec.directory_name = name;
    spec.directory.reset(::open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!spec.directory) return LaunchFailure{"change directory to " + name, errno};
    return std::nullopt;
}

Problem find_program(const Environment& environment, LaunchSpec& spec) {
    auto found =
        find_executable(spec.argv.front(), spec.directory_fd(), environment.find("PATH").value_or(default_path));
    if (auto* failure = std::get_if<LaunchFailure>(&found)) return std::move(*failure);
    spec.executable = std::get<Executable>(std::move(found));
    return std::nullopt;
}

}  // namespace

std::string describe(const LaunchFailure& failure) {
    if (failure.error_number == 0) return "cannot " + failure.stage;
    return errno_error(failure.stage, failure.error_number).text;
}

int LaunchSpec::directory_fd() const { return directory ? directory.get() : AT_FDCWD; }

std::variant<LaunchSpec, LaunchFailure> resolve(const LaunchOptions& options,
                                                const std::vector<std::string>& base_environment,
                                                const std::optional<ResourceLimit>& descriptors) {
    LaunchSpec spec;
    if (options.command.empty()) return LaunchFailure{"start a worker: no command was given", 0};
    spec.argv = options.command;
    spec.umask = options.umask;
    spec.limits = options.limits;
    const bool is_set =
        descriptors && std::ranges::find(spec.limits, descriptors->name, &ResourceLimit::name) != spec.limits.end();
    if (descriptors && !is_set) spec.limits.push_back(*descriptors);
    spec.privileges = options.privileges;
    spec.standard_input = options.standard_input;
    Environment environment = without_supervisor_variables(base_environment);
    if (Problem problem = add_account(options, spec, environment)) return std::move(*problem);
    for (const std::string& file : options.env_files) {
        if (Problem problem = add_environment_file(file, environment)) return std::move(*problem);
    }
    for (const std::string& entry : options.env) environment.set(entry);
    if (Problem problem = open_directory(options.chdir, spec)) return std::move(*problem);
    if (Problem problem = find_program(environment, spec)) return std::move(*problem);
    spec.environment = std::move(environment).take();
    return spec;
}

std::variant<LaunchSpec, LaunchFailure> resolve_other_command(const LaunchSpec& like, std::vector<std::string> argv) {
    LaunchSpec spec;
    if (argv.empty()) return LaunchFailure{"start a process: no command was given", 0};
    spec.argv = std::move(argv);
    spec.environment = like.environment;
    spec.directory_name = like.directory_name;
    spec.directory.reset(like.directory ? ::fcntl(like.directory.get(), F_DUPFD_CLOEXEC, 0) : -1);
    if (like.directory && !spec.directory) return LaunchFailure{"change directory to " + like.directory_name, errno};
    spec.credentials = like.credentials;
    spec.umask = like.umask;
    spec.limits = like.limits;
    spec.privileges = like.privileges;
    Environment environment;
    for (const std::string& entry : like.environment) environment.set(entry);
    if (Problem problem = find_program(environment, spec)) return std::move(*problem);
    return spec;
}

std::optional<std::string> find_relaunch_problem(const LaunchSpec& spec) {
    struct stat status = {};
    if (!spec.directory_name.empty() && ::fstat(spec.directory.get(), &status) == 0 && status.st_nlink == 0) {
        return "the directory " + spec.directory_name +
               " of that time no longer exists; keep the directories of previous releases";
    }
    return find_program_change(spec.executable, spec.directory_fd());
}

}  // namespace holdfast::os
