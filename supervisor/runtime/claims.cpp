#include "runtime/claims.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "os/claim.hpp"
#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

// Commands that start the real program, and what to run in their place.
std::string_view in_place_of(std::string_view command) {
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

std::string listed(const std::vector<Worker::Handed>& listeners) {
    constexpr std::size_t most = 4;
    std::string text;
    for (std::size_t index = 0; index < listeners.size() && index < most; ++index) {
        text += (index > 0 ? " or " : "") + listeners[index].address;
    }
    if (listeners.size() > most) text += " or " + std::to_string(listeners.size() - most) + " more";
    return text;
}

core::Claim in_words_of_core(os::SocketClaim claim) {
    if (claim == os::SocketClaim::held) return core::Claim::held;
    return claim == os::SocketClaim::missing ? core::Claim::missing : core::Claim::not_known;
}

}  // namespace

std::string missing_claim(const Worker& worker) {
    const std::string text =
        "no process of worker " + worker.name + " has " + listed(worker.listeners) + " open: does ";
    const auto instead = in_place_of(worker.command);
    if (instead.empty()) return text + "it close inherited descriptors?";
    return text + "`" + wire::printable(worker.command) + "` close inherited descriptors? " + std::string(instead);
}

void Claims::check(Worker& worker) {
    std::vector<std::uint64_t> inodes;
    for (const auto& listener : worker.listeners) inodes.push_back(listener.inode);
    std::vector<pid_t> processes;
    if (!inodes.empty()) {
        const os::ProcessTree tree = reaping_.scan(worker);
        for (const auto& process : tree.group) processes.push_back(process.pid);
        for (const auto& process : tree.strays) processes.push_back(process.pid);
    }
    const os::SocketClaim found = os::look_for_claim(processes, inodes);
    pump_.push(core::Claimed{worker.id, in_words_of_core(found),
                             found == os::SocketClaim::missing ? missing_claim(worker) : std::string()});
}

}  // namespace holdfast::runtime
