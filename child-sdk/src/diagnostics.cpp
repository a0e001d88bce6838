#include "diagnostics.hpp"

#include <exception>
#include <holdfast/detail/handler_failure.hpp>
#include <string>

#include "stderr_writer.hpp"
#include "wire/wire.hpp"

namespace holdfast {

namespace {

std::string line_of(std::string_view text) { return "holdfast: " + wire::printable(text) + "\n"; }

}  // namespace

void log_error(std::string_view text) { write_to_stderr(line_of(text)); }

void log_error(std::string_view text, const DrainReport& report) {
    std::string lines = line_of(text);
    const std::string state = report.text();
    for (std::string_view rest = state; !rest.empty();) {
        const std::size_t end = rest.find('\n');
        lines += line_of("  " + std::string(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
    }
    write_to_stderr(lines);
}

Call call_or_log_error(std::string_view what, const std::function<void()>& function) {
    try {
        function();
        return Call::returned;
    } catch (const std::exception& failure) {
        log_error(std::string(what) + ": " + failure.what());
    } catch (...) {
        log_error(std::string(what) + ": an exception that is not a std::exception");
    }
    return Call::threw;
}

void detail::log_handler_failure() noexcept {
    call_or_log_error("closing a connection: its handler threw", [] { throw; });
}

}  // namespace holdfast
