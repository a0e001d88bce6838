#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast::wire {

// Which ways the codec went since the last reset(): its sources are compiled with -fsanitize-coverage=trace-pc, which
// calls us in every block.
class Coverage {
  public:
    static constexpr std::size_t size = std::size_t{1} << 14U;

    static void reset();
    // The edges that were taken, each below `size`, once each; and how often, 255 for more.
    static std::span<const std::uint16_t> edges();
    static std::uint8_t count(std::uint16_t edge);
};

}  // namespace holdfast::wire
