declare module "shaka-player/dist/shaka-player.dash-es2021.js" {
  export { default } from "shaka-player/dist/shaka-player.dash-es2021";
}
