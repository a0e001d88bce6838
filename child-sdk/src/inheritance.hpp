#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "environment.hpp"

namespace holdfast {

// The inherited listeners that nobody has taken yet. Not synchronised.
class Inheritance {
  public:
    explicit Inheritance(std::vector<Inherited> listeners);

    // By name, else by address; an empty text fits none. Each can be taken once. Throws as parse_address() does.
    std::optional<Inherited> take(std::string_view name, std::string_view address);

    // The one and only that was inherited.
    std::optional<Inherited> take_only();

    bool is_empty() const { return untaken_.empty(); }

    // For a message: `admin (127.0.0.1:9901), http ([::]:8080)`; "none" if there are none.
    std::string list() const;

  private:
    std::optional<Inherited> take_at(std::size_t index);

    std::vector<Inherited> untaken_;
    bool was_one_;
};

}  // namespace holdfast
