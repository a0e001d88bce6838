#include <array>

#include "cli/option_table.hpp"
#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

Result<void> set_runtime_dir(std::string_view value, ClientCommand& command) {
    if (value.empty()) return error("it is empty");
    command.runtime_dir = value;
    return {};
}

Result<void> set_no_wait(std::string_view, ClientCommand& command) {
    command.wait = api::Wait::no;
    return {};
}

Result<void> set_json(std::string_view, ClientCommand& command) {
    command.format = Format::json;
    return {};
}

constexpr std::array table = {
    ClientOption{{"runtime-dir", "DIR", "", "the runtime directory of the supervisor that is meant"},
                 set_runtime_dir,
                 "restart stop scale status"},
    ClientOption{
        {"no-wait", "", "", "return as soon as the supervisor has been asked"}, set_no_wait, "restart stop scale"},
    ClientOption{{"json", "", "", "print the supervisor's answer as JSON"}, set_json, "restart stop scale status"},
};

}  // namespace

std::span<const ClientOption> client_options() { return table; }

std::vector<const ClientOption*> client_options_of(std::string_view verb) {
    std::vector<const ClientOption*> options;
    for (const ClientOption& option : table) {
        if (option.verbs.find(verb) != option.verbs.npos) options.push_back(&option);
    }
    return options;
}

std::span<const std::string_view> later_client_options() {
    static constexpr std::array<std::string_view, 3> later{"watch", "canary", "for"};
    return later;
}

std::span<const std::string_view> later_commands() {
    static constexpr std::array<std::string_view, 14> later{"reload",  "rollback", "undo",   "promote", "pause",
                                                            "resume",  "history",  "why",    "logs",    "events",
                                                            "upgrade", "check",    "doctor", "drill"};
    return later;
}

}  // namespace holdfast::cli
