#include <unistd.h>
#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "api/server.hpp"
#include "cli/commands.hpp"
#include "cli/exit_codes.hpp"
#include "cli/options.hpp"
#include "os/signals.hpp"
#include "runtime/runtime.hpp"

namespace {

using namespace holdfast;

int run(const core::Configuration& configuration) {
    const os::HangUp hang_up = os::prepare_signals();
    auto opened = runtime::Runtime::open(configuration, hang_up);
    if (!opened) {
        std::cerr << "holdfast: " << opened.error().text << '\n';
        return opened.error().code;
    }
    auto& runtime = **opened;
    std::optional<api::Server> server;
    if (const int api_fd = runtime.release_api_socket(); api_fd >= 0) {
        server.emplace(
            runtime.executor(), api_fd, ::getuid(),
            [&](core::Request request, auto answer) { runtime.ask(std::move(request), std::move(answer)); },
            [&] { return runtime.snapshot(); });
    }
    return runtime.run([&](std::function<void()> done) {
        if (server) {
            server->close_when_answered(std::move(done));
        } else {
            done();
        }
    });
}

int dispatch(const cli::Command& command) {
    return std::visit(
        [](const auto& chosen) -> int {
            using Chosen = std::decay_t<decltype(chosen)>;
            if constexpr (std::is_same_v<Chosen, cli::RunCommand>) {
                return run(chosen.configuration);
            } else if constexpr (std::is_same_v<Chosen, cli::ClientCommand>) {
                return cli::run_client(chosen, std::cout, std::cerr);
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
        std::cerr << "holdfast: this is a defect of holdfast: " << defect.what() << '\n';
        return 70;
    }
}
