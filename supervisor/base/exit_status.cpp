#include "base/exit_status.hpp"

#include <cstring>

namespace holdfast {

std::string signal_name(int signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    if (abbreviation == nullptr) return "signal " + std::to_string(signal);
    return std::string("SIG") + abbreviation;
}

std::string describe(const ExitStatus& status) {
    if (const auto* exited = std::get_if<ExitedWith>(&status)) {
        return "exited with status " + std::to_string(exited->code);
    }
    const auto& killed = std::get<KilledBy>(status);
    std::string text =
        "was killed by signal " + std::to_string(killed.signal) + " (" + signal_name(killed.signal) + ")";
    if (killed.dumped_core) text += ", core dumped";
    return text;
}

}  // namespace holdfast
