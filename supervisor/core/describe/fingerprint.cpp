#include "core/describe/fingerprint.hpp"

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace holdfast::core {
namespace {

// 64-bit FNV-1a. Unlike std::hash, it gives the same result on every machine and in every version.
class Digest {
  public:
    void add(std::string_view text) {
        for (const char byte : text) {
            value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
        }
        value_ = (value_ ^ 0xff) * 0x100000001b3;  // separator that occurs in no text: "ab","c" differs from "a","bc"
    }
    void add(Duration duration) { add(std::to_string(duration.count())); }
    void add(Share share) { add(std::to_string(share.amount) + (share.percent ? "%" : "")); }
    void add(const std::vector<std::string>& texts) {
        for (const auto& text : texts) add(text);
        add(std::to_string(texts.size()));
    }
    template <class Number>
    requires std::is_arithmetic_v<Number>
    void add(Number number) { add(std::to_string(number)); }
    template <class Value>
    void add(const std::optional<Value>& value) {
        add(value ? std::to_string(*value) : std::string("-"));
    }
    template <class... Values>
    void add_all(const Values&... values) {
        (add(values), ...);
    }

    std::string text() const {
        constexpr std::string_view digits = "0123456789abcdef";
        std::string result;
        for (int shift = 60; shift >= 0; shift -= 4) result.push_back(digits[(value_ >> shift) & 15]);
        return result;
    }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325;
};

void add(Digest& digest, const ListenAddress& address) {
    digest.add_all(listener_name(address), address.text, address.backlog, address.v6only, address.nonblock,
                   address.mode, address.user, address.group);
}

void add(Digest& digest, const LaunchOptions& launch) {
    digest.add_all(launch.command, launch.user, launch.group, launch.chdir, launch.umask, launch.env_files, launch.env,
                   launch.pre_restart, static_cast<int>(launch.privileges), static_cast<int>(launch.standard_input),
                   static_cast<int>(launch.output));
    for (const auto& limit : launch.limits) digest.add_all(limit.name, limit.soft, limit.hard);
}

void add(Digest& digest, const ReadyWhen& ready) {
    digest.add(ready.index());
    if (const auto* alive = std::get_if<ReadyAlive>(&ready)) digest.add(alive->lived);
    if (const auto* probe = std::get_if<ReadyProbe>(&ready)) {
        digest.add_all(static_cast<int>(probe->how), static_cast<int>(probe->where), probe->address, probe->path);
    }
}

void add(Digest& digest, const Policy& policy) {
    add(digest, policy.ready_when);
    digest.add_all(policy.workers, policy.ready_timeout, policy.settle, policy.probation, policy.min_ready,
                   policy.max_surge, policy.max_unavailable, policy.lame_duck, policy.grace_period,
                   policy.cancel_period, policy.max_extension, policy.max_pause, policy.backoff_min, policy.backoff_max,
                   policy.watchdog, policy.queue_for, policy.stop_signal, policy.cancel_signal);
}

}  // namespace

std::string fingerprint(const Configuration& configuration) {
    Digest digest;
    for (const auto& address : configuration.listen) add(digest, address);
    add(digest, configuration.launch);
    add(digest, configuration.policy);
    return digest.text();
}

}  // namespace holdfast::core
