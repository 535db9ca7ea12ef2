// Which objects share the traffic of a rollout, and how a manifest names them (spec 1.4).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace reconciler {

/// How a header, a path or a method is compared: `exact`, `prefix` or `regex`.
struct StringMatch {
  std::string how;
  std::string value;
  bool operator==(const StringMatch&) const = default;
};

/// Requests that match get the canary, until a later step of the same name says otherwise; no match: nobody does.
struct SetHeaderRoute {
  struct Match {
    std::string header;
    StringMatch value;
    bool operator==(const Match&) const = default;
  };
  std::string name;
  std::vector<Match> matches;  ///< any of them
  bool operator==(const SetHeaderRoute&) const = default;
};

/// Requests that match are also sent to the canary, which answers nobody.
struct SetMirrorRoute {
  struct Match {
    std::optional<StringMatch> method;
    std::optional<StringMatch> path;
    std::map<std::string, StringMatch> headers;
    bool operator==(const Match&) const = default;
  };
  std::string name;
  int percentage = 100;
  std::vector<Match> matches;  ///< any of them; none: the route goes
  bool operator==(const SetMirrorRoute&) const = default;
};

/// A route beside the weights that a step made.
using ManagedRoute = std::variant<SetHeaderRoute, SetMirrorRoute>;

inline const std::string& name_of(const ManagedRoute& route) {
  return std::visit([](const auto& r) -> const std::string& { return r.name; }, route);
}

/// A TLS route is found by its one port and its exact set of SNI hosts.
struct TlsRoute {
  int port = 0;
  std::vector<std::string> sni_hosts;
  bool operator==(const TlsRoute&) const = default;
};

/// istio.virtualService: whose weights to rewrite. `routes` empty: the only HTTP route, else the only unnamed one; the
/// other two empty: the first route of that protocol, if there is one.
struct IstioVirtualService {
  std::string ns;
  std::string name;
  std::vector<std::string> routes;
  std::vector<TlsRoute> tls_routes;
  std::vector<int> tcp_ports;
  bool operator==(const IstioVirtualService&) const = default;
};

/// istio.destinationRule: the two sides are subsets of one host instead of two Services.
struct IstioDestinationRule {
  std::string name;
  std::string canary_subset;
  std::string stable_subset;
  bool operator==(const IstioDestinationRule&) const = default;
};

struct IstioRouting {
  std::vector<IstioVirtualService> virtual_services;
  std::optional<IstioDestinationRule> destination_rule;
  bool operator==(const IstioRouting&) const = default;
};

/// plugins."argoproj-labs/gatewayAPI": routes of the Kubernetes Gateway API.
struct GatewayRouting {
  struct Route {
    std::string kind;  ///< HTTPRoute, GRPCRoute, TCPRoute or TLSRoute
    std::string name;
    std::string rule = {};       ///< the one rule of that name; empty: each that leads to both sides
    bool header_routes = false;  ///< setHeaderRoute makes rules in it
    bool operator==(const Route&) const = default;

    bool takes(const ManagedRoute& route) const {
      if (std::holds_alternative<SetMirrorRoute>(route)) return kind == "HTTPRoute";
      return header_routes && (kind == "HTTPRoute" || kind == "GRPCRoute");
    }
  };
  std::string ns;
  std::vector<Route> routes;
  bool operator==(const GatewayRouting&) const = default;
};

/// nginx: beside each Ingress a canary Ingress of ours, whose annotations say how much it gets.
struct NginxRouting {
  std::vector<std::string> ingresses;
  std::string annotation_prefix = "nginx.ingress.kubernetes.io";
  std::map<std::string, std::string> prefixed_annotations;  ///< additionalIngressAnnotations; the prefix is added
  std::map<std::string, std::string> plain_annotations;     ///< canaryIngressAnnotations
  bool operator==(const NginxRouting&) const = default;
};

/// alb: the forward action in an annotation of each Ingress.
struct AlbRouting {
  struct Stickiness {
    bool enabled = false;
    int seconds = 0;
    bool operator==(const Stickiness&) const = default;
  };
  std::vector<std::string> ingresses;
  int service_port = 0;
  std::string root_service;  ///< empty: the stable Service
  std::string annotation_prefix = "alb.ingress.kubernetes.io";
  std::optional<Stickiness> stickiness;
  bool operator==(const AlbRouting&) const = default;
};

/// smi: a TrafficSplit of ours.
struct SmiRouting {
  std::string root_service;  ///< empty: the stable Service
  std::string split;         ///< its name
  bool operator==(const SmiRouting&) const = default;
};

struct TraefikRouting {
  std::string service;  ///< name of the weighted TraefikService
  bool operator==(const TraefikRouting&) const = default;
};

struct ApisixRouting {
  std::string route;               ///< name of the ApisixRoute
  std::vector<std::string> rules;  ///< names in its spec.http
  bool operator==(const ApisixRouting&) const = default;
};

/// ambassador: beside each Mapping a canary Mapping of ours.
struct AmbassadorRouting {
  std::vector<std::string> mappings;
  bool operator==(const AmbassadorRouting&) const = default;
};

/// One thing that shares traffic between the two sides. Several may be set; each gets the same weight.
using Router = std::variant<IstioRouting, GatewayRouting, NginxRouting, AlbRouting, SmiRouting, TraefikRouting,
                            ApisixRouting, AmbassadorRouting>;

struct TrafficRouting {
  std::vector<Router> routers;              ///< none: traffic follows the pods
  std::vector<std::string> managed_routes;  ///< names of routes that are ours to make and remove, first is first
  std::optional<int> max_weight = {};       ///< maxTrafficWeight: what weights are parts of; absent: 100
  bool operator==(const TrafficRouting&) const = default;
};

}  // namespace reconciler
