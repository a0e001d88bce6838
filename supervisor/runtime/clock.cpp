#include "runtime/clock.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace holdfast::runtime {

Instant now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

WallTime wall_clock() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string utc_text(WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t whole = seconds.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 16> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>((time - seconds).count()));
    return std::string(text.data(), size) + fraction.data();
}

}  // namespace holdfast::runtime
