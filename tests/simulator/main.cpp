// Runs random schedules against the core in a fake world and checks the invariants after each event. Each schedule has
// a seed: `holdfast_simulator --seed N --schedules 1 --verbose` prints all its steps. `holdfast_simulator --story FILE`
// replays a story, as printed for a failure.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/simulator/minimise.hpp"
#include "tests/simulator/schedule.hpp"

namespace holdfast::simulator {

namespace {

struct Options {
    std::uint64_t seed = 1;
    std::uint64_t schedules = 100'000;
    std::uint64_t events = 200;
    std::uint64_t failures = 5;   // stops after this many failures
    std::uint64_t minimise = 20;  // seconds per failure; 0: do not minimise
    bool is_verbose = false;
    std::optional<std::string> story{};  // file to replay instead of random schedules
};

// Coverage is only checked from this number of schedules on.
constexpr std::uint64_t enough_for_coverage = 20'000;

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<Options> parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--verbose") {
            options.is_verbose = true;
            continue;
        }
        if (word == "--story" && i + 1 < argc) {
            options.story = argv[++i];
            continue;
        }
        const auto number = i + 1 < argc ? parse_number(argv[++i]) : std::nullopt;
        if (!number) return std::nullopt;
        if (word == "--seed") {
            options.seed = *number;
        } else if (word == "--schedules") {
            options.schedules = *number;
        } else if (word == "--events") {
            options.events = *number;
        } else if (word == "--failures") {
            options.failures = *number;
        } else if (word == "--minimise") {
            options.minimise = *number;
        } else {
            return std::nullopt;
        }
    }
    return options;
}

void print_failure(const std::string& what, const std::string& options, const std::vector<std::string>& violations) {
    std::cout << what << " FAILED (holdfast_simulator " << options << ")\n";
    for (const std::string& violation : violations) std::cout << "  " << violation << '\n';
}

// Replays a story file, printing each step. Returns the exit status.
int replay_file(const std::string& path) {
    std::ostringstream text;
    if (std::ifstream file(path); !file || !(text << file.rdbuf())) {
        std::cerr << "cannot read the story " << path << '\n';
        return 2;
    }
    try {
        const auto violations = replay(story_of(text.str()), &std::cout);
        if (violations.empty()) return 0;
        print_failure(path, "--story " + path, violations);
        return 1;
    } catch (const std::runtime_error& fault) {
        std::cerr << path << ": " << fault.what() << '\n';
        return 2;
    }
}

int run(const Options& options) {
    const auto begin = std::chrono::steady_clock::now();
    Coverage coverage;
    LongestAnswers longest;
    std::uint64_t failures = 0;
    std::uint64_t events = 0;
    std::uint64_t schedules = 0;
    for (; schedules < options.schedules && failures < options.failures; ++schedules) {
        const std::uint64_t seed = options.seed + schedules;
        Schedule schedule(seed, {&coverage, &longest, options.is_verbose ? &std::cout : nullptr});
        const auto violations = schedule.run(options.events);
        events += schedule.events();
        if (violations.empty()) continue;
        ++failures;
        const std::string name = std::to_string(seed);
        print_failure("seed " + name, "--seed " + name + " --schedules 1 --verbose", violations);
        if (options.minimise > 0) print(std::cout, minimise(schedule.story(), std::chrono::seconds(options.minimise)));
        std::cout << std::flush;
    }
    const bool is_complete = options.schedules >= enough_for_coverage;
    const int wrong_counts = is_complete ? coverage.print(std::cout) : 0;
    constexpr const char* names[] = {"restart", "stop",     "scale", "scale by", "pause",
                                     "resume",  "rollback", "undo",  "reload"};
    std::cout << "longest time to an answer, as a share of its bound:";
    for (std::size_t i = 0; i < longest.shares.size(); ++i)
        std::cout << ' ' << names[i] << ' ' << std::fixed << std::setprecision(2) << longest.shares.at(i);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << '\n'
              << schedules << " schedules of seeds " << options.seed << " to " << options.seed + schedules - 1 << ", "
              << events << " random events, " << std::setprecision(1) << took.count() << " s: " << failures
              << " failed, " << wrong_counts << " counts are wrong\n";
    return failures == 0 && wrong_counts == 0 ? 0 : 1;
}

}  // namespace

}  // namespace holdfast::simulator

int main(int argc, char** argv) {
    const auto options = holdfast::simulator::parse(argc, argv);
    if (!options) {
        std::cerr
            << "usage: holdfast_simulator [--seed N] [--schedules N] [--events N] [--failures N] [--minimise SECONDS] "
               "[--verbose]\n       holdfast_simulator --story FILE\n";
        return 2;
    }
    return options->story ? holdfast::simulator::replay_file(*options->story) : holdfast::simulator::run(*options);
}
