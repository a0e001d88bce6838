#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "api/server/probe_server.hpp"
#include "api/server/server.hpp"
#include "check.hpp"
#include "cli/commands.hpp"
#include "cli/exit_codes.hpp"
#include "cli/options.hpp"
#include "os/signals.hpp"
#include "os/terminal.hpp"
#include "runtime/runtime.hpp"

namespace {

using namespace holdfast;

api::Backend backend(runtime::Runtime& runtime) {
    return {
        .ask = [&](core::Request request, auto answer) { runtime.ask(std::move(request), std::move(answer)); },
        .snapshot = [&] { return runtime.snapshot(); },
        .reload = [&](std::string asked_by, auto answer) { runtime.reload(std::move(asked_by), std::move(answer)); },
        .preview_reload = [&] { return runtime.preview_reload(); },
        .history = [&] { return runtime.history(); },
        .last_output = [&] { return runtime.last_output(); },
        .follow_events = [&](auto on_event) { return runtime.follow_events(std::move(on_event)); },
    };
}

int run(const cli::RunCommand& command) {
    const os::SighupDisposition sighup = os::prepare_signals();
    // Without a configuration file there is nothing to read again.
    runtime::Runtime::Reread reread;
    if (!command.configuration.file.empty()) reread = [&] { return cli::reread(command); };
    auto opened = runtime::Runtime::open(command.configuration, sighup, std::move(reread));
    if (!opened) {
        std::cerr << "holdfast: " << opened.error().text << '\n';
        return opened.error().code;
    }
    auto& runtime = **opened;
    std::optional<api::Server> server;
    if (const int api_fd = runtime.release_api_socket(); api_fd >= 0) {
        server.emplace(runtime.executor(), api_fd, ::getuid(), backend(runtime));
    }
    std::optional<api::ProbeServer> probes;
    if (const std::vector<int> admin_fds = runtime.release_admin_sockets(); !admin_fds.empty()) {
        probes.emplace(runtime.executor(), admin_fds, [&] {
            std::string because = runtime.unready_because();
            if (!because.empty()) return api::Readiness{false, std::move(because)};
            return api::Readiness{true, runtime.crash_loops()};
        });
    }
    return runtime.run([&](std::function<void()> done) {
        if (server) {
            server->close_when_answered(std::move(done));
        } else {
            done();
        }
    });
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : value;
}

cli::Screen screen() {
    auto interrupts = std::make_shared<std::optional<os::Interrupts>>();
    return {
        .error_width = [] { return os::terminal_width(STDERR_FILENO); },
        .output_width = [] { return os::terminal_width(STDOUT_FILENO); },
        .colour = cli::wanted_colour(variable("NO_COLOR"), variable("TERM")),
        .was_interrupted =
            [interrupts] {
                if (!*interrupts) *interrupts = os::Interrupts::block();
                return (*interrupts)->was_interrupted();
            },
    };
}

int dispatch(const cli::Command& command) {
    return std::visit(
        [](const auto& chosen) -> int {
            using Chosen = std::decay_t<decltype(chosen)>;
            if constexpr (std::is_same_v<Chosen, cli::RunCommand>) {
                return run(chosen);
            } else if constexpr (std::is_same_v<Chosen, cli::CheckCommand>) {
                return check(chosen, std::cout);
            } else if constexpr (std::is_same_v<Chosen, cli::DoctorCommand>) {
                return run_doctor(chosen, std::cout, std::cerr);
            } else if constexpr (std::is_same_v<Chosen, cli::ClientCommand>) {
                return cli::run_client(chosen, std::cout, std::cerr, screen());
            } else if constexpr (std::is_same_v<Chosen, cli::Text>) {
                std::cout << chosen.text;
                return 0;
            } else {
                std::cerr << "holdfast: " << chosen.text << '\n';
                return 2;
            }
        },
        command);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return dispatch(cli::parse({argv + 1, argv + argc}));
    } catch (const std::exception& defect) {
        std::cerr << "holdfast: internal error: " << defect.what() << '\n';
        return 70;
    }
}
