#pragma once

#include <functional>
#include <string_view>

namespace holdfast::cli {

enum class Colour { no, yes };

// Properties of standard error and standard output. main.cpp sets them, because cli/ makes no system calls.
struct Screen {
    // Current width of the terminal in columns; 0: not a terminal.
    std::function<int()> error_width = [] { return 0; };
    std::function<int()> output_width = [] { return 0; };
    Colour colour = Colour::no;
    // Whether SIGINT has arrived. The first call blocks SIGINT: from then on ^C does not end the process.
    std::function<bool()> was_interrupted = [] { return false; };
};

// Whether to use colours. Takes the values of $NO_COLOR and $TERM, "" if unset.
constexpr Colour wanted_colour(std::string_view no_color, std::string_view term) {
    return no_color.empty() && term != "dumb" && !term.empty() ? Colour::yes : Colour::no;
}

}  // namespace holdfast::cli
