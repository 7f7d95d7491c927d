#include "core/endpoints.h"

#include <gtest/gtest.h>
#include <string>

namespace windlass::core {
namespace {

TEST(Endpoints, ConnectionsOfOneNameShareAnEndpointAndThoseWithoutANameDoNot) {
  Endpoints endpoints;
  const EndpointId a = endpoints.meet("a");
  EXPECT_NE(endpoints.meet("b"), a);
  EXPECT_EQ(endpoints.meet("a"), a);
  EXPECT_EQ(endpoints.name(a), "a");
  EXPECT_NE(endpoints.meet(""), endpoints.meet(""));
}

TEST(Endpoints, OneThatComesBackIsTheSame) {
  Endpoints endpoints;
  const EndpointId a = endpoints.meet("a");
  endpoints.joined(a);
  endpoints.joined(a);
  endpoints.left(a);
  endpoints.served(a);
  endpoints.left(a);
  EXPECT_TRUE(endpoints.served_since(a, 0)) << "what it failed may still wait";
  EXPECT_EQ(endpoints.meet("a"), a);
}

TEST(Endpoints, ASetThatChangesForEverTakesNoMoreMemory) {
  Endpoints endpoints;
  const EndpointId stays = endpoints.meet("stays");
  endpoints.joined(stays);
  endpoints.served(stays);
  const auto comes_and_goes = [&](const std::string& name) {
    const EndpointId endpoint = endpoints.meet(name);
    endpoints.joined(endpoint);
    endpoints.served(endpoint);
    endpoints.left(endpoint);
    return endpoint;
  };
  const EndpointId first = comes_and_goes("first");
  for (int i = 0; i < 10'000; ++i) {
    comes_and_goes("pod " + std::to_string(i));
    comes_and_goes("");
  }
  EXPECT_LE(endpoints.size(), Endpoints::most_left + 1);
  EXPECT_EQ(endpoints.name(stays), "stays");
  EXPECT_TRUE(endpoints.served_since(stays, 0));
  EXPECT_EQ(endpoints.name(first), "") << "it is forgotten";
  EXPECT_FALSE(endpoints.served_since(first, 0));
  EXPECT_NE(endpoints.meet("first"), first);
}

TEST(Endpoints, WhoComesBackIsNotForgottenForHavingLeftBefore) {
  Endpoints endpoints;
  const EndpointId a = endpoints.meet("a");
  endpoints.joined(a);
  endpoints.left(a);
  endpoints.joined(endpoints.meet("a"));
  for (int i = 0; i < 1000; ++i) {
    const EndpointId other = endpoints.meet("");
    endpoints.joined(other);
    endpoints.left(other);
  }
  EXPECT_EQ(endpoints.name(a), "a");
}

}  // namespace
}  // namespace windlass::core
