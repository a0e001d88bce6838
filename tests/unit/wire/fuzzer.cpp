#include "fuzzer.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace holdfast::wire {
namespace {

constexpr std::size_t longest_input = 12'000;  // more than a complete drain report

// Groups counts as 1, 2-3, 4-7, ... 128-255: one bit each.
std::uint8_t magnitude_of(std::uint8_t count) { return std::bit_floor(count); }

}  // namespace

Fuzzer::Fuzzer(std::uint32_t seed, std::vector<std::string> corpus, std::vector<std::string> words)
    : random_(seed), words_(std::move(words)) {
    for (const std::string& bytes : corpus) execute(bytes);
    corpus_ = std::move(corpus);
}

void Fuzzer::run(int executions) {
    for (int i = 0; i < executions; ++i) execute(mutated());
}

// Modulo, because the distributions differ between standard libraries.
std::uint64_t Fuzzer::below(std::uint64_t limit) { return random_() % limit; }

std::string Fuzzer::mutated() {
    std::string bytes = corpus_[below(corpus_.size())];
    for (auto n = 1 + below(4); n > 0; --n) mutate(bytes);
    bytes.resize(std::min(bytes.size(), longest_input));
    return bytes;
}

void Fuzzer::mutate(std::string& bytes) {
    if (bytes.empty()) bytes.assign(1, '\0');
    const std::size_t at = below(bytes.size());
    const std::string& other = corpus_[below(corpus_.size())];
    switch (below(7)) {
        case 0:
            bytes[at] = static_cast<char>(below(256));
            break;
        case 1:
            bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
            break;
        case 2:
            bytes.erase(at, 1 + below(16));
            break;
        case 3:
            bytes.insert(at, words_[below(words_.size())]);
            break;
        case 4:
            bytes += words_[below(words_.size())];
            break;
        case 5:
            bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(64)));
            break;
        default:
            bytes.resize(at);
            bytes += other.substr(below(other.size() + 1));
            break;
    }
}

void Fuzzer::execute(const std::string& bytes) {
    Coverage::reset();
    const std::vector<std::uint8_t> input(bytes.begin(),
                                          bytes.end());  // exact size, so that ASan detects reads past the end
    LLVMFuzzerTestOneInput(input.data(), input.size());
    bool is_new = false;
    for (const std::uint16_t edge : Coverage::edges()) {
        const std::uint8_t magnitude = magnitude_of(Coverage::count(edge));
        is_new = is_new || (magnitude & ~seen_[edge]) != 0;
        seen_[edge] = static_cast<std::uint8_t>(seen_[edge] | magnitude);
    }
    if (is_new) corpus_.push_back(bytes);
}

}  // namespace holdfast::wire
