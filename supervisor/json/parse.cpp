#include "json/parse.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <exception>

namespace holdfast::json {

Result<value> parse(std::string_view text, const Limits& limits) try {
    if (text.size() > limits.bytes) return error("it is longer than " + std::to_string(limits.bytes) + " bytes");
    boost::json::parse_options options;
    options.max_depth = limits.depth;
    error_code failure;
    value document = boost::json::parse({text.data(), text.size()}, failure, {}, options);
    if (failure) return error(failure.message());
    return document;
} catch (const std::exception& failure) {
    return error(failure.what());
}

std::string serialize(const value& document) { return boost::json::serialize(document); }

}  // namespace holdfast::json
