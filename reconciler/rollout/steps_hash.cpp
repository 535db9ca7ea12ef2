#include "rollout/steps_hash.h"

#include "base/format.h"

namespace reconciler {
namespace {

constexpr std::string_view kStepTypes = R"(
CanaryStep: setWeight*:i pause*:Pause experiment*:Experiment analysis*:Analysis setCanaryScale*:CanaryScale setHeaderRoute*:HeaderRoute setMirrorRoute*:MirrorRoute plugin*:Plugin
Pause: duration*:x
CanaryScale: weight*:i replicas*:i matchTrafficWeight?:b
HeaderRoute: name?:s match?:[HeaderMatch]
HeaderMatch: headerName:s headerValue:StringMatch|null
StringMatch: exact?:s prefix?:s regex?:s
MirrorRoute: name:s match?:[RouteMatch] percentage*:i
RouteMatch: method*:StringMatch path*:StringMatch headers?:{StringMatch}
Plugin: name:s config?:r
Analysis: templates?:[TemplateRef] args?:[Argument] dryRun?:[DryRun] measurementRetention?:[Retention] analysisRunMetadata*:RunMetadata
TemplateRef: templateName:s clusterScope*:b
Argument: name:s value?:s valueFrom*:ArgumentSource
ArgumentSource: podTemplateHashValue*:s fieldRef*:FieldRef
FieldRef: fieldPath:s
DryRun: metricName:s
Retention: metricName:s limit:i
RunMetadata: labels?:{s} annotations?:{s}
Experiment: templates:[ExperimentTemplate] duration?:x analyses?:[ExperimentAnalysis] dryRun?:[DryRun] analysisRunMetadata:RunMetadata scaleDownDelaySeconds*:i
ExperimentTemplate: name:s specRef:s replicas*:i metadata:RunMetadata selector*:LabelSelector weight*:i service*:ExperimentService
ExperimentService: name?:s
ExperimentAnalysis: name:s templateName:s clusterScope*:b args?:[Argument] requiredForCompletion?:b
LabelSelector: matchLabels?:{s} matchExpressions?:[Requirement]
Requirement: key:s operator:s values?:[s]
)";

}  // namespace

TypedEncoding encode_steps(const Json& steps) {
  static const TypeTable table(kStepTypes);
  return table.encode(steps, "[CanaryStep]");
}

Result<std::string> steps_hash(const Json& steps) {
  TypedEncoding encoding = encode_steps(steps);
  if (encoding.problems.empty()) return safe_hash(encoding.bytes);
  const TypeProblem& problem = encoding.problems.front();
  return invalid(format("strategy.canary.steps{} {}", dotted(problem.pointer), problem.message));
}

}  // namespace reconciler
