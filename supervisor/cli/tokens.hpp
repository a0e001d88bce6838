#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/option_table.hpp"

namespace holdfast::cli {

// One option of the command line.
struct GivenOption {
    std::string name;   // without the dashes
    std::string value;  // empty for a switch
};

struct Tokens {
    std::vector<GivenOption> options;  // in the order in which they were given
    std::vector<std::string> words;    // everything else
};

// Splits the arguments of one command into options (`--option value`, `--option=value`) and words. `planned`: options
// that are not part of this version. The error names the option and the nearest known one.
Result<Tokens> tokenize(const std::vector<std::string>& arguments, const std::vector<OptionSpec>& known,
                        std::span<const std::string_view> planned);

}  // namespace holdfast::cli
