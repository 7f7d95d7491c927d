#include "plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace windlass::bench {
namespace {

struct Look {
  const char* policy;
  const char* color;
  double radius;
};

constexpr std::array looks = {
    Look{"round robin", "#bbbbbb", 4}, Look{"least out.", "#8c8c8c", 4}, Look{"p2c ewma", "#e8a33d", 4},
    Look{"scan ewma", "#c0561a", 4},   Look{"window 1", "#9ecae1", 4},   Look{"window 2", "#6baed6", 4},
    Look{"window 8", "#3182bd", 4},    Look{"window 64", "#08306b", 4},  Look{"earliest finish", "#1a9850", 6},
};

constexpr double left = 260;
constexpr double width = 560;
constexpr double line_height = 24;

void write_dots(const std::string& path, const std::string& title, const std::vector<Row>& rows,
                const std::vector<double>& ticks, const std::function<double(const Row&, double)>& value_of,
                bool logarithmic) {
  const double low = ticks.front();
  const double high = ticks.back();
  const auto x = [&](double value) {
    value = std::clamp(value, low, high);
    const double part = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return left + part * width;
  };
  const double top = 74;
  const double bottom = top + line_height * static_cast<double>(rows.size());
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" font-family="sans-serif" font-size="12">
<rect width="{0}" height="{1}" fill="white"/>
<text x="10" y="20" font-size="14">{2}</text>
)",
      left + width + 30, bottom + 30, title);
  double legend = 10;
  for (const Look& look : looks) {
    svg += fmt::format(R"(<circle cx="{:.0f}" cy="42" r="{}" fill="{}"/><text x="{:.0f}" y="46">{}</text>)"
                       "\n",
                       legend + 6, look.radius, look.color, legend + 16, look.policy);
    legend += 32 + 6.6 * static_cast<double>(std::string_view(look.policy).size());
  }
  for (const double tick : ticks) {
    svg += fmt::format(R"(<line x1="{0:.1f}" y1="{1:.0f}" x2="{0:.1f}" y2="{2:.0f}" stroke="#dddddd"/>)", x(tick),
                       top - 10, bottom);
    svg += fmt::format(R"(<text x="{:.1f}" y="{:.0f}" text-anchor="middle">{}</text>)"
                       "\n",
                       x(tick), bottom + 16, tick);
  }
  double y = top + line_height / 2;
  for (const Row& row : rows) {
    svg += fmt::format(R"(<text x="{:.0f}" y="{:.0f}" text-anchor="end">{}, {}</text>)", left - 12, y + 4, row.scenario,
                       row.measure);
    for (const Look& look : looks) {
      const auto figure = row.figures.find(look.policy);
      if (figure == row.figures.end()) continue;
      svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.0f}" r="{}" fill="{}" fill-opacity="0.85"/>)",
                         x(value_of(row, figure->second)), y, look.radius, look.color);
    }
    svg += "\n";
    y += line_height;
  }
  std::ofstream file(path);
  file << svg << "</svg>\n";
  if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace

void write_plots(const std::string& directory, const std::vector<Row>& rows) {
  std::filesystem::create_directories(directory);
  std::vector<Row> times;
  std::vector<Row> shares;
  for (const Row& row : rows) {
    if (row.measure == "share")
      shares.push_back(row);
    else if (row.measure != "duplicates" && row.measure != "to its share")
      times.push_back(row);
  }
  const auto ratio = [](const Row& row, double value) { return value / row.figures.at("clairvoyant"); };
  const auto itself = [](const Row&, double value) { return value; };
  write_dots(directory + "/latency.svg",
             "From publish to acknowledgement, in multiples of what the clairvoyant reaches (100 stands for more, too)",
             times, {0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100}, ratio, true);
  write_dots(directory + "/share.svg",
             "Share of the summed capacity that is used while work never runs out, worst seed", shares,
             {0, 0.2, 0.4, 0.6, 0.8, 1}, itself, false);
}

}  // namespace windlass::bench
