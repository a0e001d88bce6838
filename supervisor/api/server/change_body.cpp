#include "api/server/change_body.hpp"

#include "api/server/quoting.hpp"
#include "core/policy.hpp"
#include "json/parse.hpp"

namespace holdfast::api {
namespace {

constexpr json::Limits limits{.bytes = 64 * 1024, .depth = 4};

// Parses the body as a JSON object; an empty body is an empty object. The alternative is the error text.
std::variant<json::object, std::string> read_object(std::string_view body, std::string_view example) {
    if (body.empty()) return json::object{};
    auto value = json::parse(body, limits);
    if (!value) {
        return "the body is not valid JSON: " + value.error().text + "; expected a body like " + std::string(example);
    }
    if (!value->is_object()) return "the body is not a JSON object; expected a body like " + std::string(example);
    return std::move(value->get_object());
}

}  // namespace

std::optional<std::string> refuse_members(std::string_view body) {
    auto object = read_object(body, "{}");
    if (auto* wrong = std::get_if<std::string>(&object)) return std::move(*wrong);
    const auto& members = std::get<json::object>(object);
    if (members.empty()) return std::nullopt;
    return "unknown key " + quote_shortened(members.begin()->key()) + "; the body of this request must be empty";
}

std::variant<core::Scale, std::string> read_scale(std::string_view body) {
    auto object = read_object(body, R"({"workers": 4})");
    if (auto* wrong = std::get_if<std::string>(&object)) return std::move(*wrong);
    const auto& members = std::get<json::object>(object);
    for (const auto& member : members) {
        if (member.key() != "workers") {
            return "unknown key " + quote_shortened(member.key()) + R"(; expected a body like {"workers": 4})";
        }
    }
    const json::value* workers = members.if_contains("workers");
    if (workers == nullptr) return R"("workers" is missing; expected a body like {"workers": 4})";
    if (!workers->is_int64() || workers->get_int64() < 0 || workers->get_int64() > core::max_workers) {
        return "\"workers\" must be a number from 0 to " + std::to_string(core::max_workers);
    }
    return core::Scale{static_cast<int>(workers->get_int64())};
}

}  // namespace holdfast::api
