#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "core/configuration.hpp"
#include "os/launch_spec.hpp"
#include "runtime/listeners.hpp"

namespace holdfast::runtime {

using HeldSpec = std::shared_ptr<const os::LaunchSpec>;
using HeldConfiguration = std::shared_ptr<const core::Configuration>;

// What the workers of one generation are launched from.
struct Spec {
    HeldSpec held;  // empty: it is resolved with its first worker
    HeldConfiguration configuration;
    ListenerUses listeners;
    Generation made_for;
};

// The specs that core has not forgotten.
class Specs {
  public:
    Spec* find(LaunchSpecId id) {
        const auto found = specs_.find(id);
        return found == specs_.end() ? nullptr : &found->second;
    }
    Spec& add(LaunchSpecId id, Spec spec) { return specs_[id] = std::move(spec); }
    void forget(LaunchSpecId id) { specs_.erase(id); }

    // Of a spec that is being prepared, and is none yet: nobody may close them meanwhile.
    void reserve(ListenerUses uses) { reserved_ = std::move(uses); }
    void release() { reserved_.clear(); }

    // All that may still be needed.
    std::vector<ListenerUses> listeners() const {
        std::vector<ListenerUses> result{reserved_};
        for (const auto& [id, spec] : specs_) result.push_back(spec.listeners);
        return result;
    }

    // The one that serves: what a reload that keeps the workers changes.
    void serve(LaunchSpecId id) { serving_ = id; }
    Spec* serving() { return find(serving_); }

  private:
    std::map<LaunchSpecId, Spec> specs_;
    LaunchSpecId serving_;
    ListenerUses reserved_;
};

}  // namespace holdfast::runtime
