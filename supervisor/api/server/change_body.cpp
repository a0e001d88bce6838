#include "api/server/change_body.hpp"

#include <boost/json/parse.hpp>

#include "api/server/quoting.hpp"
#include "core/policy.hpp"

namespace holdfast::api {
namespace {

constexpr std::size_t max_depth = 4;

// Parses the body as a JSON object; an empty body is an empty object. The alternative is the error text.
std::variant<boost::json::object, std::string> read_object(std::string_view body, std::string_view example) {
    if (body.empty()) return boost::json::object{};
    boost::json::error_code failure;
    boost::json::parse_options options;
    options.max_depth = max_depth;
    const boost::json::value value = boost::json::parse({body.data(), body.size()}, failure, {}, options);
    if (failure) {
        return "the body is not valid JSON: " + failure.message() + "; expected a body like " + std::string(example);
    }
    if (!value.is_object()) return "the body is not a JSON object; expected a body like " + std::string(example);
    return value.get_object();
}

}  // namespace

std::optional<std::string> refuse_members(std::string_view body) {
    auto object = read_object(body, "{}");
    if (auto* wrong = std::get_if<std::string>(&object)) return std::move(*wrong);
    const auto& members = std::get<boost::json::object>(object);
    if (members.empty()) return std::nullopt;
    return "unknown key " + quote_shortened(members.begin()->key()) + "; the body of this request must be empty";
}

std::variant<core::Scale, std::string> read_scale(std::string_view body) {
    auto object = read_object(body, R"({"workers": 4})");
    if (auto* wrong = std::get_if<std::string>(&object)) return std::move(*wrong);
    const auto& members = std::get<boost::json::object>(object);
    for (const auto& member : members) {
        if (member.key() != "workers") {
            return "unknown key " + quote_shortened(member.key()) + R"(; expected a body like {"workers": 4})";
        }
    }
    const boost::json::value* workers = members.if_contains("workers");
    if (workers == nullptr) return R"("workers" is missing; expected a body like {"workers": 4})";
    if (!workers->is_int64() || workers->get_int64() < 0 || workers->get_int64() > core::max_workers) {
        return "\"workers\" must be a number from 0 to " + std::to_string(core::max_workers);
    }
    return core::Scale{static_cast<int>(workers->get_int64())};
}

}  // namespace holdfast::api
