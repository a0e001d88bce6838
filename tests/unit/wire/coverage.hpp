#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast::wire {

// The edges that the codec has taken since the last reset(). Its sources are compiled with
// -fsanitize-coverage=trace-pc, which calls this class in every basic block.
class Coverage {
  public:
    static constexpr std::size_t size = std::size_t{1} << 14U;

    static void reset();
    // The edges that were taken, each below `size` and listed once; and how often, at most 255.
    static std::span<const std::uint16_t> edges();
    static std::uint8_t count(std::uint16_t edge);
};

}  // namespace holdfast::wire
