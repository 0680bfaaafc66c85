/** Some batches in a thread of their own: signatures are what takes the time, and there is more than one core. */
import { type CampaignOptions, runCampaign } from "./campaign.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<CampaignOptions>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data }) => scope.postMessage(await runCampaign(data));
