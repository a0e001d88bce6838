#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "coverage.hpp"

namespace holdfast::wire {

// A small coverage-guided fuzzer: keeps inputs that take new edges and mutates them further. Deterministic for a seed.
class Fuzzer {
  public:
    Fuzzer(std::uint32_t seed, std::vector<std::string> corpus, std::vector<std::string> words);

    // Aborts the process if the codec violates a property.
    void run(int executions);

    // Inputs that each reached new coverage: the initial ones, then those that were found.
    const std::vector<std::string>& corpus() const { return corpus_; }

  private:
    std::uint64_t below(std::uint64_t limit);
    std::string mutated();
    void mutate(std::string& bytes);
    void execute(const std::string& bytes);

    std::mt19937 random_;
    std::vector<std::string> corpus_;
    std::vector<std::string> words_;
    std::array<std::uint8_t, Coverage::size> seen_{};  // the magnitudes of each count, one bit each
};

}  // namespace holdfast::wire
