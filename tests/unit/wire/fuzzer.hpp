#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "coverage.hpp"

namespace holdfast::wire {

// A small fuzzer that is guided by coverage: what goes a new way is kept and mutated further. One seed, one sequence.
class Fuzzer {
  public:
    Fuzzer(std::uint32_t seed, std::vector<std::string> corpus, std::vector<std::string> words);

    // Ends the process if the codec breaks a promise.
    void run(int executions);

    // Inputs that each went a way of their own: the ones given first, then what was found.
    const std::vector<std::string>& corpus() const { return corpus_; }

  private:
    std::uint64_t below(std::uint64_t limit);
    std::string mutated();
    void mutate(std::string& bytes);
    void execute(const std::string& bytes);

    std::mt19937 random_;
    std::vector<std::string> corpus_;
    std::vector<std::string> words_;
    std::array<std::uint8_t, Coverage::size> seen_{};  // the orders of magnitude of each count, a bit each
};

}  // namespace holdfast::wire
