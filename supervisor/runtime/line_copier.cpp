#include "runtime/line_copier.hpp"

#include <utility>

namespace holdfast::runtime {

void LineCopier::copy(std::string_view bytes, Output& output) {
    unfinished_ += bytes;
    auto end = unfinished_.rfind('\n');
    if (end == std::string::npos) {
        if (unfinished_.size() < max_line_bytes) return;
        end = unfinished_.size() - 1;
    }
    std::string rest = unfinished_.substr(end + 1);
    unfinished_.resize(end + 1);
    output.write(std::exchange(unfinished_, std::move(rest)), Output::Source::worker);
}

void LineCopier::finish(Output& output) {
    if (!unfinished_.empty()) copy("\n", output);
}

}  // namespace holdfast::runtime
