#include "runtime/listener_claim.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "os/listener_claim.hpp"
#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

// Wrapper commands that start the actual program, and the recommended replacement.
std::string_view wrapper_hint(std::string_view command) {
    constexpr std::array<std::string_view, 4> package_managers{"npm", "npx", "pnpm", "yarn"};
    constexpr std::array<std::string_view, 4> wrappers{"sh", "bash", "sudo", "su"};
    for (const auto name : package_managers) {
        if (command == name) return "run node directly";
    }
    for (const auto name : wrappers) {
        if (command == name) return "run the program directly";
    }
    return {};
}

std::string listed(const std::vector<Worker::InheritedListener>& listeners) {
    constexpr std::size_t most = 4;
    std::string text;
    for (std::size_t index = 0; index < listeners.size() && index < most; ++index) {
        text += (index > 0 ? " or " : "") + listeners[index].address;
    }
    if (listeners.size() > most) text += " or " + std::to_string(listeners.size() - most) + " more";
    return text;
}

core::ListenerClaim to_core(os::ListenerClaim claim) {
    if (claim == os::ListenerClaim::held) return core::ListenerClaim::held;
    return claim == os::ListenerClaim::missing ? core::ListenerClaim::missing : core::ListenerClaim::not_known;
}

}  // namespace

std::string missing_listener_claim(const Worker& worker) {
    const std::string text =
        "no process of worker " + worker.name + " has " + listed(worker.listeners) + " open: does ";
    const auto instead = wrapper_hint(worker.command);
    if (instead.empty()) return text + "it close inherited descriptors?";
    return text + "`" + wire::printable(worker.command) + "` close inherited descriptors? " + std::string(instead);
}

void ListenerClaimChecker::check(Worker& worker) {
    std::vector<std::uint64_t> inodes;
    for (const auto& listener : worker.listeners) inodes.push_back(listener.inode);
    std::vector<pid_t> processes;
    std::optional<Error> not_known;
    if (!inodes.empty()) {
        const os::ProcessTree tree = worker_reaper_.scan(worker);
        not_known = tree.not_known;
        for (const auto& process : tree.group) processes.push_back(process.pid);
        for (const auto& process : tree.strays) processes.push_back(process.pid);
    }
    os::ListenerClaim found = os::find_listener_claim(processes, inodes);
    // A process that was not seen may have it open.
    if (not_known && found == os::ListenerClaim::missing) found = os::ListenerClaim::not_known;
    event_queue_.push(
        core::ListenerClaimed{worker.id, to_core(found),
                              found == os::ListenerClaim::missing ? missing_listener_claim(worker) : std::string()});
}

}  // namespace holdfast::runtime
