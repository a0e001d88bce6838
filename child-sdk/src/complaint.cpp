#include "complaint.hpp"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <tuple>

#include "wire/wire.hpp"

namespace holdfast {

namespace {

std::string line_of(std::string_view text) { return "holdfast: " + wire::printable(text) + "\n"; }

void write_out(const std::string& text) { std::ignore = ::write(STDERR_FILENO, text.data(), text.size()); }

std::string seconds(std::int64_t usec) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(usec) / 1e6);
    return text;
}

}  // namespace

void complain(std::string_view text) { write_out(line_of(text)); }

void complain_of(std::string_view text, const std::vector<Waiting>& waiting) {
    std::string lines = line_of(text);
    for (const Waiting& entry : waiting) {
        lines += line_of("  " + entry.kind + " " + entry.name + " (" + seconds(entry.age_usec) + ")");
    }
    write_out(lines);
}

Call call_or_complain(std::string_view what, const std::function<void()>& function) {
    try {
        function();
        return Call::returned;
    } catch (const std::exception& failure) {
        complain(std::string(what) + ": " + failure.what());
    } catch (...) {
        complain(std::string(what) + ": something that is no std::exception was thrown");
    }
    return Call::threw;
}

}  // namespace holdfast
