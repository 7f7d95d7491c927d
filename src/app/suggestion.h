// "Did you mean ...?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace windlass::app {

/// The candidate that `word` was probably meant to be: the nearest one, when it takes no more than a third of the
/// word's letters to be changed (swapping neighbours is one change); else empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// "; did you mean X?" or nothing, for the end of a message.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace windlass::app
