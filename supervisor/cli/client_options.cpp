#include <array>

#include "cli/option_table.hpp"
#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

Result<void> put_text(std::string_view value, std::string& target) {
    if (value.empty()) return error("the value is empty");
    target = value;
    return {};
}

Result<void> set_runtime_dir(std::string_view value, ClientCommand& command) {
    return put_text(value, command.runtime_dir);
}

Result<void> set_state_dir(std::string_view value, ClientCommand& command) {
    return put_text(value, command.state_dir);
}

Result<void> set_no_wait(std::string_view, ClientCommand& command) {
    command.wait = api::Wait::no;
    return {};
}

Result<void> set_json(std::string_view, ClientCommand& command) {
    command.format = Format::json;
    return {};
}

Result<void> set_watch(std::string_view, ClientCommand& command) {
    command.watch = Watch::on;
    return {};
}

Result<void> set_dry_run(std::string_view, ClientCommand& command) {
    command.dry_run = DryRun::yes;
    return {};
}

constexpr std::array table = {
    ClientOption{{"runtime-dir", "DIR", "", "use the supervisor with this runtime directory"},
                 set_runtime_dir,
                 "restart reload stop scale rollback undo pause resume status history why logs events"},
    ClientOption{{"state-dir", "DIR", "", "read the history in this directory; no supervisor has to run"},
                 set_state_dir,
                 "history"},
    ClientOption{{"no-wait", "", "", "return as soon as the supervisor has accepted the request"},
                 set_no_wait,
                 "restart reload stop scale rollback undo"},
    ClientOption{{"dry-run", "", "", "print what would change, and change nothing"}, set_dry_run, "reload"},
    ClientOption{{"watch", "", "", "update the status whenever something changes"}, set_watch, "status"},
    ClientOption{{"json", "", "", "print the supervisor's answer as JSON"},
                 set_json,
                 "restart reload stop scale rollback undo pause resume status history why logs"},
};

}  // namespace

std::span<const ClientOption> client_options() { return table; }

std::vector<const ClientOption*> client_options_of(std::string_view verb) {
    std::vector<const ClientOption*> options;
    for (const ClientOption& option : table) {
        const std::string verbs = " " + std::string(option.verbs) + " ";
        if (verbs.find(" " + std::string(verb) + " ") != verbs.npos) options.push_back(&option);
    }
    return options;
}

std::span<const OptionSpec> doctor_options() {
    static constexpr std::array options = {
        OptionSpec{"config", "FILE", "", "examine the configuration in this file; nothing is started"},
        OptionSpec{"runtime-dir", "DIR", "", "use the supervisor with this runtime directory"},
        OptionSpec{"json", "", "", "print the findings as JSON"},
    };
    return options;
}

std::span<const std::string_view> planned_client_options() {
    static constexpr std::array<std::string_view, 3> planned{"canary", "for", "follow"};
    return planned;
}

std::span<const std::string_view> planned_commands() {
    static constexpr std::array<std::string_view, 3> planned{"promote", "upgrade", "drill"};
    return planned;
}

}  // namespace holdfast::cli
