#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <holdfast/message.hpp>
#include <string>
#include <string_view>

namespace holdfast {

struct SlotPool;

// The start time and name of one request in flight. Written by the thread that holds the request; any thread may read
// it concurrently.
//
// A slot is used by one request after the other, and its generation is their number. A reader uses what it read only if
// `state_` was the same before and after. This needs no fence: the words are stored with release and loaded with
// acquire, so a thread that reads a word of a later request also sees that the earlier one ended.
class alignas(64) RequestSlot {
  public:
    explicit RequestSlot(SlotPool& pool) : pool_(&pool) {}

    SlotPool& pool() const { return *pool_; }

    // Call on a slot without a request. `name` has at most max_name_bytes.
    void write(std::string_view name, std::int64_t since) {
        since_.store(since, std::memory_order_release);
        write_name(name);
        const std::uint64_t free = state_.load(std::memory_order_relaxed);
        state_.store(free + generation_step + name.size() + 1, std::memory_order_release);
    }

    void clear() { state_.store(free_of(state_.load(std::memory_order_relaxed)), std::memory_order_release); }

    // The number of requests that have ended here.
    std::uint64_t ended() const {
        const std::uint64_t state = state_.load(std::memory_order_relaxed);
        return state / generation_step - (state % generation_step == 0 ? 0 : 1);
    }

    struct Shown {
        std::int64_t since = 0;
        std::string name;
    };

    // Returns whether there is a request that began before `limit`, and stores it in `shown`.
    bool read_if_before(std::int64_t limit, Shown& shown) const {
        const std::uint64_t state = state_.load(std::memory_order_acquire);
        const std::int64_t since = since_.load(std::memory_order_acquire);
        if (state % generation_step == 0 || since >= limit) {
            return false;
        }
        std::array<char, max_name_bytes> bytes;
        const std::size_t size = state % generation_step - 1;
        read_name(bytes, size);
        if (state_.load(std::memory_order_relaxed) != state) {
            return false;
        }
        shown.since = since;
        shown.name.assign(bytes.data(), size);
        return true;
    }

    RequestSlot* next = nullptr;  // in a list of free slots

  private:
    static constexpr std::uint64_t generation_step = 256;
    static constexpr std::size_t word_bytes = sizeof(std::uint64_t);
    static_assert(max_name_bytes % word_bytes == 0 && max_name_bytes + 1 < generation_step);

    static std::uint64_t free_of(std::uint64_t state) { return state / generation_step * generation_step; }

    // A name longer than a word ends with a word that may overlap the previous one.
    void write_name(std::string_view name) {
        const std::size_t size = name.size();
        if (size < word_bytes) {
            words_[0].store(short_word(name), std::memory_order_release);
            return;
        }
        std::size_t word = 0;
        for (std::size_t at = 0; at + word_bytes < size; at += word_bytes) {
            words_[word++].store(word_at(name.data() + at), std::memory_order_release);
        }
        words_[word].store(word_at(name.data() + size - word_bytes), std::memory_order_release);
    }

    void read_name(std::array<char, max_name_bytes>& bytes, std::size_t size) const {
        std::size_t word = 0;
        std::size_t at = 0;
        for (; at + word_bytes < size; at += word_bytes) {
            const std::uint64_t value = words_[word++].load(std::memory_order_acquire);
            std::memcpy(bytes.data() + at, &value, word_bytes);
        }
        const std::uint64_t value = words_[word].load(std::memory_order_acquire);
        std::memcpy(bytes.data() + (size < word_bytes ? 0 : size - word_bytes), &value, word_bytes);
    }

    static std::uint64_t word_at(const char* bytes) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, word_bytes);
        return word;
    }

    static std::uint64_t short_word(std::string_view name) {
        std::uint64_t word = 0;
        for (std::size_t at = 0; at < name.size(); ++at) {
            const std::size_t byte = std::endian::native == std::endian::little ? at : word_bytes - 1 - at;
            word |= std::uint64_t{static_cast<unsigned char>(name[at])} << byte * 8;
        }
        return word;
    }

    SlotPool* const pool_;
    std::atomic<std::uint64_t> state_ = 0;  // the generation; in the low bits the size of the name plus 1, or 0: free
    std::atomic<std::int64_t> since_ = 0;
    std::array<std::atomic<std::uint64_t>, max_name_bytes / word_bytes> words_{};
};

static_assert(sizeof(RequestSlot) == 128);

}  // namespace holdfast
