#pragma once

#include <functional>
#include <string_view>

namespace holdfast::cli {

enum class Colour { no, yes };

// What standard error and output are to whoever reads them. main.cpp finds it out: cli/ makes no system calls.
struct Screen {
    // Columns of the terminal as it is now; 0: there is none.
    std::function<int()> error_width = [] { return 0; };
    std::function<int()> output_width = [] { return 0; };
    Colour colour = Colour::no;
    // From the first call on ^C ends nothing; says whether it came.
    std::function<bool()> was_interrupted = [] { return false; };
};

// Whether to colour at all: not where the user or the terminal does not want it. The values of $NO_COLOR and $TERM, ""
// if unset.
constexpr Colour wanted_colour(std::string_view no_color, std::string_view term) {
    return no_color.empty() && term != "dumb" && !term.empty() ? Colour::yes : Colour::no;
}

}  // namespace holdfast::cli
