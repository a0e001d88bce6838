#include "guard.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <system_error>

namespace holdfast::c {

namespace {

constexpr std::size_t max_bytes = 1024;
constexpr std::chrono::milliseconds longest{std::chrono::hours(24 * 365 * 30)};

// Trivially destructible: destructors that run when a thread ends may still call the library.
std::array<char, max_bytes>& buffer() noexcept {
    thread_local constinit std::array<char, max_bytes> text{};
    return text;
}

int save_error(int error, std::string_view text) noexcept {
    set_last_error(text);
    return -error;
}

bool is_errno(const std::error_code& code) {
    return code.value() > 0 &&
           (code.category() == std::generic_category() || code.category() == std::system_category());
}

}  // namespace

void set_last_error(std::string_view text) noexcept {
    std::array<char, max_bytes>& kept = buffer();
    const std::size_t size = std::min(text.size(), kept.size() - 1);
    std::memcpy(kept.data(), text.data(), size);
    kept.at(size) = '\0';
}

const char* last_error() noexcept { return buffer().data(); }

int error_of_exception(int misuse) noexcept {
    try {
        throw;
    } catch (const Refused& error) {
        return save_error(error.error(), error.what());
    } catch (const std::invalid_argument& error) {
        return save_error(EINVAL, error.what());
    } catch (const std::logic_error& error) {
        return save_error(misuse, error.what());
    } catch (const std::system_error& error) {
        return save_error(is_errno(error.code()) ? error.code().value() : EIO, error.what());
    } catch (const std::bad_alloc&) {
        return save_error(ENOMEM, "out of memory; raise the memory limit of the process");
    } catch (const std::exception& error) {
        return save_error(EIO, error.what());
    } catch (...) {
        return save_error(EIO, "an exception that is not a std::exception was thrown; callbacks must not throw");
    }
}

void refuse(std::string_view what, std::string_view cause) {
    throw std::invalid_argument("cannot " + std::string(what) + ": " + std::string(cause));
}

std::chrono::milliseconds duration(std::int64_t milliseconds, std::string_view what) {
    if (milliseconds < 0 || milliseconds > longest.count()) {
        refuse(what, "a duration is " + std::to_string(milliseconds) + " ms; give one from 0 to 30 years");
    }
    return std::chrono::milliseconds(milliseconds);
}

std::int64_t usec_of(std::chrono::steady_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace holdfast::c
